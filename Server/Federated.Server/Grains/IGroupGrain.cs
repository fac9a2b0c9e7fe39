namespace Federated.Server.Grains;

/// <summary>
/// One aggregation group under secure aggregation. Key: job/round/group. Masked inputs stay in the process that received them; messages only
/// name them.
/// </summary>
[Alias("federated.group")]
public interface IGroupGrain : IGrainWithStringKey
{
    /// <summary>Opens the group, so that its steps end in time whether or not anybody comes.</summary>
    [Alias("open")]
    [AlwaysInterleave]
    Task Open();

    /// <summary>Takes a device's answer and waits for what comes next.</summary>
    /// <param name="ask">Who asks for what.</param>
    /// <param name="message">A GroupClientMessage; null when there is none.</param>
    /// <returns>A GroupReply.</returns>
    [Alias("exchange")]
    [AlwaysInterleave]
    Task<byte[]> Exchange(GroupAsk ask, byte[]? message);

    /// <summary>Whether the group would take this masked input, asked before its bytes are sent.</summary>
    [Alias("screen")]
    [AlwaysInterleave]
    Task<SubmissionAnswer> Screen(string deviceId);

    /// <summary>Adds the staged masked input and answers when the sum that holds it is durable.</summary>
    [Alias("add")]
    [AlwaysInterleave]
    Task<SubmissionAnswer> Add(string deviceId, long stagedId);

    /// <summary>Closes the first step: the round has as many devices as it wants.</summary>
    [Alias("close-keys")]
    [AlwaysInterleave]
    Task CloseKeys();

    /// <summary>The device will not answer any more.</summary>
    [Alias("leave")]
    [AlwaysInterleave]
    Task Leave(string deviceId);

    /// <summary>The updates in the durable sum; none before it is unmasked.</summary>
    [Alias("contributions")]
    [AlwaysInterleave]
    Task<Submission[]> Contributions();

    /// <summary>Ends the group if it goes on, and tells what its sum holds.</summary>
    [Alias("seal")]
    [AlwaysInterleave]
    Task<SealedGroup> Seal();

    /// <summary>Deletes what is durable of the group.</summary>
    [Alias("forget")]
    Task Forget();
}

/// <summary>A device's question to its group.</summary>
[GenerateSerializer]
[Immutable]
[Alias("federated.group-ask")]
public sealed record GroupAsk
{
    /// <summary>The device.</summary>
    [Id(0)]
    public required string DeviceId { get; init; }

    /// <summary>The step it waits for, as the wire numbers it.</summary>
    [Id(1)]
    public required int Awaits { get; init; }

    /// <summary>How long to hold the call.</summary>
    [Id(2)]
    public required TimeSpan Hold { get; init; }

    /// <summary>Bytes it has received in the round; 0 when it does not say.</summary>
    [Id(3)]
    public long BytesDown { get; init; }

    /// <summary>Bytes it has sent.</summary>
    [Id(4)]
    public long BytesUp { get; init; }
}
