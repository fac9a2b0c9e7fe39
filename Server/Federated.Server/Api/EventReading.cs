using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using Federated.Server.Events;

namespace Federated.Server.Api;

/// <summary>Reads the events of an answer, for the command line.</summary>
internal static class EventReading
{
    private static readonly TimeSpan _patience = 3 * EventRoutes.Heartbeat;

    /// <summary>Reads until the connection ends, breaks, or falls silent. The answer is disposed with the reading.</summary>
    public static async IAsyncEnumerable<ServerEvent> ReadAsync(HttpResponseMessage response, [EnumeratorCancellation] CancellationToken ct)
    {
        using HttpResponseMessage owned = response;
        await using Stream body = new ImpatientStream(await response.Content.ReadAsStreamAsync(ct), _patience);
        await using IAsyncEnumerator<SseItem<string>> items = SseParser.Create(body).EnumerateAsync(ct).GetAsyncEnumerator(ct);
        while (await NextAsync(items, ct))
        {
            if (ServerEvent.FromJson(items.Current.EventType, items.Current.Data) is { } happened)
            {
                yield return happened;
            }
        }
    }

    private static async Task<bool> NextAsync(IAsyncEnumerator<SseItem<string>> items, CancellationToken ct)
    {
        try
        {
            return await items.MoveNextAsync();
        }
        catch (Exception e) when (e is IOException or HttpRequestException or TimeoutException && !ct.IsCancellationRequested)
        {
            return false;
        }
    }

    /// <summary>Ends a read that takes too long: comments are no events, so only the bytes show that the other side lives.</summary>
    private sealed class ImpatientStream(Stream inner, TimeSpan patience) : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            using CancellationTokenSource late = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            late.CancelAfter(patience);
            try
            {
                return await inner.ReadAsync(buffer, late.Token);
            }
            catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
            {
                throw new TimeoutException($"Nothing came for {patience.TotalSeconds} s.", e);
            }
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Flush() => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                inner.Dispose();
            }

            base.Dispose(disposing);
        }
    }
}
