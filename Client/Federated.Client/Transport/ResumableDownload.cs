using Federated.Client.Session;
using Federated.Shared.Protocol;

namespace Federated.Client.Transport;

/// <summary>
/// Brings a sink to completion: a broken stream goes on at the offset reached, after a backoff; content that does not hash to its name
/// is fetched once more from the beginning, by the server's own hand, and then given up.
/// </summary>
internal static class ResumableDownload
{
    /// <summary>Returns when the sink holds the verified object.</summary>
    /// <exception cref="ProtocolViolationException">What the server sends is not the object.</exception>
    /// <exception cref="ServerLinkException">The server refuses, for good.</exception>
    /// <exception cref="RoundAbortException">The device's own policy ends the round.</exception>
    /// <exception cref="OperationCanceledException">Cancelled, for example because the round's time is up.</exception>
    public static async Task RunAsync(VerifiedSink sink, TransferScope scope, CancellationToken cancellationToken)
    {
        bool corrupted = false;
        sink.Pacing = scope.Pacing;
        while (true)
        {
            if (scope.Pacing is { } pacing)
            {
                await pacing.PassAsync(cancellationToken).ConfigureAwait(false);
            }

            if (!await StreamAsync(sink, !corrupted, scope, cancellationToken).ConfigureAwait(false))
            {
                continue;
            }

            if (sink.Verify())
            {
                scope.Backoff.Reset();
                return;
            }

            if (corrupted)
            {
                throw new ProtocolViolationException(
                    ErrorCode.HashMismatch, $"The {sink.Name} arrived twice and did not hash to its name {sink.Content}. Look into the server's store.");
            }

            corrupted = true;
            sink.Restart();
        }
    }

    /// <summary>One stream. True when all bytes are there, or as many as the server has; false when it broke and another is due.</summary>
    private static async Task<bool> StreamAsync(VerifiedSink sink, bool direct, TransferScope scope, CancellationToken cancellationToken)
    {
        long begin = sink.Position;
        try
        {
            await scope.Link.DownloadAsync(sink.Content, begin, sink, direct, scope.Remaining, scope.Counter, cancellationToken).ConfigureAwait(false);
            if (sink.IsComplete || (sink.TotalLength < 0 && begin > 0))
            {
                // In the second case an earlier run left every byte, and the server had none to add.
                return true;
            }
        }
        catch (ServerLinkException e) when (e.Code == ErrorCode.WrongOffset && begin > 0)
        {
            // More bytes are held than the object has: what is held is something else.
            sink.Restart();
            return false;
        }
        catch (ServerLinkException e) when (e.Retriable)
        {
            if (sink.IsComplete)
            {
                return true;
            }
        }

        if (sink.Position > begin)
        {
            scope.Backoff.Reset();
        }

        await scope.Backoff.WaitAsync(cancellationToken).ConfigureAwait(false);
        return false;
    }
}
