using Federated.Shared.Protocol;
using Federated.Shared.Protos;

namespace Federated.EndToEnd.Tests.Scene;

/// <summary>A device about to misbehave in a running round.</summary>
/// <param name="Device">Who.</param>
/// <param name="Plan">The running round.</param>
/// <param name="Before">A round before it, to which the device contributed.</param>
internal sealed record Hostility(StubDevice Device, PlanDocument Plan, PlanDocument Before)
{
    /// <summary>What it would honestly send.</summary>
    public StubUpdate Update => StubUpdate.For(Device.Id, Plan);

    /// <summary>The same, encoded.</summary>
    public byte[] Payload => Update.ToPayload();

    /// <summary>The name of an outcome in the statistics.</summary>
    public static string NameOf(SubmitOutcome outcome) =>
        string.Concat(outcome.ToString().Select((c, i) => char.IsUpper(c) && i > 0 ? $"-{char.ToLowerInvariant(c)}" : $"{char.ToLowerInvariant(c)}"));

    /// <summary>Sends a payload under a header that is true of it.</summary>
    public Task<SubmitReply> SendPayloadAsync(byte[] payload) => Device.SubmitAsync(Update.HeaderFor(payload), payload);

    /// <summary>Sends another update.</summary>
    public Task<SubmitReply> SendAsync(StubUpdate update) => SendPayloadAsync(update.ToPayload());

    /// <summary>Sends an update with one value replaced.</summary>
    public Task<SubmitReply> SendValueAsync(float value)
    {
        StubUpdate update = Update;
        update.Delta[update.Delta.Length / 2] = value;
        return SendAsync(update);
    }

    /// <summary>Sends the honest payload under a falsified header.</summary>
    public Task<SubmitReply> SendUnderAsync(Action<SubmitHeader> falsify)
    {
        byte[] payload = Payload;
        SubmitHeader header = Update.HeaderFor(payload);
        falsify(header);
        return Device.SubmitAsync(header, payload);
    }
}
