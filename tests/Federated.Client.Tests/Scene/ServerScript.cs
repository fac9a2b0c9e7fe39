using System.Collections.Concurrent;
using System.Security.Cryptography;
using Federated.Shared.Models;
using Federated.Shared.Protos;

namespace Federated.Client.Tests.Scene;

/// <summary>What the scripted server does, and what it has seen. Outlives the server's restarts, as a store would.</summary>
internal sealed class ServerScript
{
    private long _bytesUp;
    private long _bytesDown;

    public ConcurrentDictionary<ContentHash, byte[]> Objects { get; } = new();

    /// <summary>What is served instead of an object, so often; its hash is then wrong.</summary>
    public ConcurrentDictionary<ContentHash, int> CorruptDownloads { get; } = new();

    /// <summary>Where downloads of an object break off, one entry a download.</summary>
    public ConcurrentDictionary<ContentHash, ConcurrentQueue<long>> BrokenDownloads { get; } = new();

    /// <summary>After how many received bytes uploads break off, one entry a submission.</summary>
    public ConcurrentQueue<long> BrokenUploads { get; } = new();

    public Func<CheckInRequest, CheckInReply> CheckIn { get; set; } = _ => Later();

    /// <summary>The answer to a complete upload; accepted when null.</summary>
    public SubmitReply? Answer { get; set; }

    /// <summary>Completes submissions only when set; at once by default.</summary>
    public Task HoldSubmissions { get; set; } = Task.CompletedTask;

    public TaskCompletionSource SubmissionBegan { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public ConcurrentQueue<CheckInRequest> CheckIns { get; } = new();

    public ConcurrentQueue<(ContentHash Content, long Offset)> Downloads { get; } = new();

    public ConcurrentQueue<long> SubmitOffsets { get; } = new();

    public ConcurrentQueue<AbortReport> Aborts { get; } = new();

    public ConcurrentQueue<(SubmitHeader Header, byte[] Payload)> Contributions { get; } = new();

    public ConcurrentDictionary<string, MemoryStream> PartialUploads { get; } = new();

    /// <summary>Encoded message bytes since the last check-in, that reply included.</summary>
    public long BytesUp => Interlocked.Read(ref _bytesUp);

    public long BytesDown => Interlocked.Read(ref _bytesDown);

    public ContentHash Add(byte[] content)
    {
        ContentHash hash = ContentHash.Of(content);
        Objects[hash] = content;
        return hash;
    }

    public void BreakDownload(ContentHash content, params long[] after) => BrokenDownloads[content] = new ConcurrentQueue<long>(after);

    public void CountUp(int messageBytes) => Interlocked.Add(ref _bytesUp, messageBytes + 5);

    public void CountDown(int messageBytes) => Interlocked.Add(ref _bytesDown, messageBytes + 5);

    public static CheckInReply Later() => new() { Retry = new Retry { AfterMs = 1234, Reason = RetryReason.NoDemand } };

    /// <summary>Contributes once by content, as the real server does.</summary>
    public SubmitReply Complete(SubmitHeader header, byte[] payload)
    {
        if (!SHA256.HashData(payload).AsSpan().SequenceEqual(header.Sha256.Span))
        {
            PartialUploads.TryRemove(header.Sha256.ToBase64(), out _);
            return new SubmitReply { Outcome = SubmitOutcome.HashMismatch };
        }

        if (Answer is not null)
        {
            return Answer;
        }

        bool known = Contributions.Any(c => c.Header.Sha256 == header.Sha256);
        if (!known)
        {
            Contributions.Enqueue((header, payload));
        }

        return new SubmitReply { Outcome = known ? SubmitOutcome.Duplicate : SubmitOutcome.Accepted };
    }
}
