using Federated.Shared.Protos;

namespace Federated.Client.Transport;

/// <summary>
/// Submits an update until the server has answered: after a broken stream it asks what the server holds and goes on from there. Sending the
/// same content again is harmless, the server knows it by its hash.
/// </summary>
internal static class ResumableUpload
{
    /// <summary>Returns the server's outcome.</summary>
    /// <exception cref="ServerLinkException">The server refuses the call itself, for good.</exception>
    /// <exception cref="OperationCanceledException">Cancelled, for example because the round's time is up.</exception>
    public static async Task<SubmitReply> RunAsync(
        SubmitHeader header, ReadOnlyMemory<byte> payload, TransferScope scope, CancellationToken cancellationToken)
    {
        long offset = 0;
        bool corrupted = false;
        while (true)
        {
            try
            {
                SubmitReply reply = await scope.Link
                    .SubmitAsync(header, payload, offset, scope.Remaining, scope.Counter, cancellationToken).ConfigureAwait(false);
                if (reply.Outcome != SubmitOutcome.HashMismatch || corrupted)
                {
                    return reply;
                }

                // Bytes changed on the way, or the parts of a resumed upload do not fit: once more as a whole.
                corrupted = true;
                offset = 0;
                continue;
            }
            catch (ServerLinkException e) when (e.Retriable)
            {
            }

            offset = await HeldByServerAsync(header, payload.Length, scope, cancellationToken).ConfigureAwait(false);
        }
    }

    private static async Task<long> HeldByServerAsync(
        SubmitHeader header, long length, TransferScope scope, CancellationToken cancellationToken)
    {
        UploadStatusRequest request = new()
        {
            DeviceId = header.DeviceId,
            JobId = header.JobId,
            Round = header.Round,
            Sha256 = header.Sha256,
        };
        while (true)
        {
            await scope.Backoff.WaitAsync(cancellationToken).ConfigureAwait(false);
            try
            {
                UploadStatusReply status = await scope.Link
                    .UploadStatusAsync(request, scope.Remaining, scope.Counter, cancellationToken).ConfigureAwait(false);
                return (long)Math.Min(status.ReceivedBytes, (ulong)length);
            }
            catch (ServerLinkException e) when (e.Retriable)
            {
            }
        }
    }
}
