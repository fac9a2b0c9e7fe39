using System.Collections.Immutable;
using Federated.Client.Session;
using Federated.Client.Transport;
using Federated.Shared.Protocol;
using Federated.Shared.Protos;

namespace Federated.EndToEnd.Tests.Scene;

/// <summary>
/// Devices with a connection each, which a test may kill before they answer a step of their group: the connection is gone at once, nobody is
/// told, everything in memory is lost, and a new process checks in.
/// </summary>
internal sealed class KillableFleet : IAsyncDisposable
{
    private const int ExamplesPerDevice = 60;

    private readonly ModelCache _models = new(new ModelCacheOptions { ChargeEveryDevice = true, TrainingThreads = 1 });
    private readonly CancellationTokenSource _stop;
    private readonly Func<int, PlanDocument, GroupStep?, CancellationToken, ValueTask> _hook;
    private readonly Func<int, PlanDocument, CancellationToken, ValueTask> _assigned;
    private readonly Func<int, IServerLink, IServerLink> _linkOf;
    private Task _running = Task.CompletedTask;

    /// <param name="hook">Device, plan and step (null: trained, no step yet); throws <see cref="KilledException"/> to kill it.</param>
    /// <param name="assigned">Device and plan, before anything is loaded; may kill it, too.</param>
    /// <param name="linkOf">What a device has in place of its link; it stays the fleet's.</param>
    public KillableFleet(
        Func<int, PlanDocument, GroupStep?, CancellationToken, ValueTask> hook,
        Func<int, PlanDocument, CancellationToken, ValueTask>? assigned = null,
        Func<int, IServerLink, IServerLink>? linkOf = null)
    {
        _hook = hook;
        _linkOf = linkOf ?? ((_, link) => link);
        _assigned = assigned ?? ((_, _, _) => ValueTask.CompletedTask);
        _stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
    }

    public static string NameOf(int device) => $"killable-{device:D2}";

    public static string[] Names(int devices) => [.. Enumerable.Range(0, devices).Select(NameOf)];

    /// <summary>Lets so many devices check in with a population of the name "killable".</summary>
    public void Start(int devices, Uri server, EnrolledFleet keys) =>
        _running = Task.WhenAll(Enumerable.Range(0, devices).Select(device => Task.Run(() => ServeAsync(device, server, keys))));

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _models.Dispose();
        _stop.Dispose();
    }

    private async Task ServeAsync(int device, Uri server, EnrolledFleet keys)
    {
        while (!_stop.IsCancellationRequested)
        {
            await using GrpcServerLink link = GrpcServerLink.Connect(server, new GrpcLinkOptions());
            ClientSession session = new(
                new ClientIdentity(NameOf(device), "killable", ImmutableDictionary<string, string>.Empty),
                _linkOf(device, link),
                _models,
                Mnist.Slice(device * ExamplesPerDevice, ExamplesPerDevice),
                new SessionOptions { PauseAfterFailure = TimeSpan.Zero, LongestBackoff = TimeSpan.FromMilliseconds(500) },
                TimeProvider.System,
                new Hook(device, _hook, _assigned),
                enrollment: keys.Of(device));
            try
            {
                while (!_stop.IsCancellationRequested)
                {
                    await session.RunOnceAsync(_stop.Token);
                }
            }
            catch (KilledException)
            {
                // The next turn is the new process.
            }
            catch (ServerLinkException e) when (e.Retriable)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, TestContext.Current.CancellationToken);
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                return;
            }
        }
    }

    private sealed class Hook(
        int device,
        Func<int, PlanDocument, GroupStep?, CancellationToken, ValueTask> hook,
        Func<int, PlanDocument, CancellationToken, ValueTask> assigned) : ISessionObserver
    {
        public ValueTask AssignedAsync(ClientIdentity who, PlanDocument plan, CancellationToken ct) => assigned(device, plan, ct);

        public ValueTask TrainedAsync(ClientIdentity who, PlanDocument plan, CancellationToken ct) => hook(device, plan, null, ct);

        public ValueTask AnsweringAsync(ClientIdentity who, PlanDocument plan, GroupStep step, CancellationToken ct) => hook(device, plan, step, ct);

        public ValueTask EndedAsync(ClientIdentity who, SessionReport report, CancellationToken ct) => ValueTask.CompletedTask;
    }
}

/// <summary>The device's process dies here.</summary>
internal sealed class KilledException() : Exception("killed");
