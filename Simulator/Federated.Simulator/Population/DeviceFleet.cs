using Federated.Client.Session;
using Federated.Client.Transport;
using Federated.Training;
using Federated.Training.Data;

namespace Federated.Simulator.Population;

/// <summary>
/// N virtual devices over a few shared connections: each is an asynchronous loop, none has a thread. What a device fails with is told by the task
/// of <see cref="Start"/> alone. Drain or stop it before disposal.
/// </summary>
internal sealed class DeviceFleet : IAsyncDisposable
{
    private const int DevicesPerLink = 100;
    private const int MostLinks = 16;

    private readonly IServerLink[] _links;
    private readonly VirtualDevice[] _devices;
    private readonly TimeProvider _time;
    private Task _devicesEnd = Task.CompletedTask;

    private DeviceFleet(IServerLink[] links, VirtualDevice[] devices, TimeProvider time)
    {
        _links = links;
        _devices = devices;
        _time = time;
    }

    /// <summary>Makes the devices; they do nothing until <see cref="Start"/>.</summary>
    /// <param name="server">The server's gRPC address.</param>
    /// <param name="population">The population they belong to.</param>
    /// <param name="examples">All examples.</param>
    /// <param name="parts">[devices][indices of the device's examples].</param>
    /// <param name="profiles">[devices].</param>
    /// <param name="surroundings">What they share; not disposed here.</param>
    /// <param name="enrollment">Their keys; null without secure aggregation. Not disposed here.</param>
    public static DeviceFleet Create(
        Uri server,
        string population,
        IExampleSource examples,
        int[][] parts,
        FleetProfile[] profiles,
        FleetSurroundings surroundings,
        FleetEnrollment? enrollment)
    {
        int linkCount = Math.Clamp((parts.Length + DevicesPerLink - 1) / DevicesPerLink, Math.Min(2, parts.Length), MostLinks);
        IServerLink[] links = [.. Enumerable.Range(0, linkCount).Select(_ => GrpcServerLink.Connect(server, new GrpcLinkOptions()))];
        return Over(links, population, examples, parts, profiles, surroundings, enrollment);
    }

    /// <summary>The same over given links, which are disposed with the fleet.</summary>
    public static DeviceFleet Over(
        IServerLink[] links,
        string population,
        IExampleSource examples,
        int[][] parts,
        FleetProfile[] profiles,
        FleetSurroundings surroundings,
        FleetEnrollment? enrollment)
    {
        VirtualDevice[] devices = new VirtualDevice[parts.Length];
        for (int i = 0; i < devices.Length; i++)
        {
            Dictionary<string, string> labels = new(StringComparer.Ordinal) { ["profile"] = profiles[i].Name };
            devices[i] = new VirtualDevice(
                new ClientIdentity(NameOf(i, devices.Length), population, labels),
                links[i % links.Length],
                new ExampleSubset(examples, parts[i]),
                profiles[i],
                surroundings,
                enrollment?.Of(i));
        }

        return new DeviceFleet(links, devices, surroundings.Time);
    }

    /// <summary>The identifiers of so many devices.</summary>
    public static string[] Names(int devices) => [.. Enumerable.Range(0, devices).Select(i => NameOf(i, devices))];

    /// <summary>Lets all devices check in.</summary>
    /// <returns>Ends when all have stopped; faults as soon as one fails, for example because the server refuses it for good. The others go on.</returns>
    public Task Start()
    {
        Task[] devices = [.. _devices.Select(device => Task.Run(device.RunAsync))];
        _devicesEnd = EndOfAsync(devices);
        return FirstFailureAsync(devices);
    }

    /// <summary>Lets devices that are in a round finish it, for at most <paramref name="patience"/>, and stops the others.</summary>
    public async Task DrainAsync(TimeSpan patience)
    {
        await Task.WhenAll(_devices.Select(device => device.DrainAsync()));
        try
        {
            await _devicesEnd.WaitAsync(patience, _time);
        }
        catch (TimeoutException)
        {
            await StopAsync();
        }
    }

    /// <summary>Stops all devices at once.</summary>
    public async Task StopAsync()
    {
        await Task.WhenAll(_devices.Select(device => device.StopAsync()));
        await _devicesEnd;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (IServerLink link in _links)
        {
            await link.DisposeAsync();
        }

        foreach (VirtualDevice device in _devices)
        {
            device.Dispose();
        }
    }

    private static async Task EndOfAsync(Task[] devices) => await Task.WhenAll(devices).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    private static async Task FirstFailureAsync(Task[] devices)
    {
        await foreach (Task device in Task.WhenEach(devices))
        {
            await device;
        }
    }

    // Ordinal order is numeric order.
    private static string NameOf(int index, int devices)
    {
        int digits = Math.Max(3, (devices - 1).ToString(System.Globalization.CultureInfo.InvariantCulture).Length);
        return "device-" + index.ToString(System.Globalization.CultureInfo.InvariantCulture).PadLeft(digits, '0');
    }
}
