using System.Buffers;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Federated.Shared.Protocol;

namespace Federated.Client.Transport;

/// <summary>
/// Reads objects straight from the server's store, from addresses that the server hands out. The store learns nothing of the device but where it calls from: no
/// certificate is shown, no cookie kept, no redirect followed. Its certificate must be one that the system trusts. What it sends is believed when
/// the sink has verified it, and not before. Thread-safe.
/// </summary>
internal sealed class DirectStore : IDisposable
{
    private const int SmallWindowBytes = 65_536;

    // A connection without a byte for so long counts as broken.
    private static readonly TimeSpan _silence = TimeSpan.FromSeconds(30);

    // Where a network lets nothing through to the store, an attempt at every object would cost the patience for a connection each time.
    private static readonly TimeSpan _distrust = TimeSpan.FromMinutes(10);

    private readonly Lazy<HttpMessageInvoker> _http;
    private readonly TransferRate _rate;
    private readonly TimeProvider _time;
    private long _failed = long.MinValue;

    /// <summary>Connects to nothing yet.</summary>
    /// <param name="options">Patience and rate of the link that it belongs to.</param>
    /// <param name="rate">What the link's transfers share.</param>
    /// <param name="time">Measures how long a store is left alone that refused.</param>
    /// <param name="trust">Judges certificates of stores, asked for when the first one is read; the system's authorities when null.</param>
    public DirectStore(GrpcLinkOptions options, TransferRate rate, TimeProvider time, Func<X509ChainPolicy?>? trust = null)
    {
        _rate = rate;
        _time = time;
        _http = new Lazy<HttpMessageInvoker>(() => new HttpMessageInvoker(HandlerOf(options, (trust ?? SystemAuthorities.Policy)())));
    }

    /// <summary>Whether an address is worth asking for: not within 10 minutes of one that led to nothing.</summary>
    public bool IsTrusted => Interlocked.Read(ref _failed) is var failed && (failed == long.MinValue || _time.GetElapsedTime(failed) > _distrust);

    /// <summary>Reads the rest of an object into the sink.</summary>
    /// <param name="address">Where it can be read.</param>
    /// <param name="offset">First byte wanted.</param>
    /// <param name="totalLength">Length of the whole object, in bytes.</param>
    /// <param name="sink">Takes the bytes.</param>
    /// <param name="timeout">Longest that it may take.</param>
    /// <param name="counter">Counts the bytes of content.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>
    /// The offset reached: <paramref name="totalLength"/>, or less when the connection broke, or <paramref name="offset"/> when the store refused, could not be
    /// reached, or the address is one that is not asked.
    /// </returns>
    /// <exception cref="Federated.Shared.Protocol.ProtocolViolationException">The sink refused what came.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public async Task<long> ReadAsync(
        string address, long offset, long totalLength, IDownloadSink sink, TimeSpan timeout, ByteCounter counter, CancellationToken cancellationToken)
    {
        long end = _time.GetTimestamp() + (long)(Math.Min(timeout.TotalSeconds, int.MaxValue) * _time.TimestampFrequency);
        long position = Allowed(address) is { } uri
            ? await ReadAsync(uri, offset, totalLength, end, sink, counter, cancellationToken).ConfigureAwait(false)
            : offset;
        if (position == offset)
        {
            Interlocked.Exchange(ref _failed, _time.GetTimestamp());
        }

        return position;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_http.IsValueCreated)
        {
            _http.Value.Dispose();
        }
    }

    private static SocketsHttpHandler HandlerOf(GrpcLinkOptions options, X509ChainPolicy? trust)
    {
        SocketsHttpHandler handler = new()
        {
            AllowAutoRedirect = false,
            UseProxy = false,
            UseCookies = false,
            ConnectTimeout = options.ConnectTimeout,
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30),
        };
        handler.SslOptions.CertificateChainPolicy = trust;
        if (options.MaxBytesPerSecond > 0)
        {
            handler.ConnectCallback = ConnectSlowlyAsync;
        }

        return handler;
    }

    // Whoever listens on the way could read what lies under an address that is not https.
    private static Uri? Allowed(string address) =>
        Uri.TryCreate(address, UriKind.Absolute, out Uri? uri) && uri.UserInfo.Length == 0
            && (uri.Scheme == Uri.UriSchemeHttps || (uri.Scheme == Uri.UriSchemeHttp && uri.IsLoopback))
            ? uri
            : null;

    private async Task<long> ReadAsync(
        Uri address, long offset, long totalLength, long end, IDownloadSink sink, ByteCounter counter, CancellationToken cancellationToken)
    {
        using CancellationTokenSource silence = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using HttpResponseMessage? response = await WithinAsync(
            silence, end, () => AskAsync(address, offset, totalLength, silence.Token), cancellationToken).ConfigureAwait(false);
        if (response is null)
        {
            return offset;
        }

        Stream content = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(ProtocolLimits.ChunkBytes);
        try
        {
            long position = offset;
            while (position < totalLength)
            {
                Memory<byte> room = buffer.AsMemory(0, (int)Math.Min(buffer.Length, totalLength - position));
                int read = await WithinAsync(silence, end, () => content.ReadAsync(room, silence.Token).AsTask(), cancellationToken).ConfigureAwait(false);
                if (read == 0)
                {
                    break;
                }

                counter.Add(0, read);
                sink.Accept(position, totalLength, room.Span[..read]);
                position += read;
                await _rate.TakeAsync(read, cancellationToken).ConfigureAwait(false);
            }

            return position;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>The answer, if it is the rest of the object and nothing else.</summary>
    private async Task<HttpResponseMessage?> AskAsync(Uri address, long offset, long totalLength, CancellationToken cancellationToken)
    {
        using HttpRequestMessage request = new(HttpMethod.Get, address);
        request.Headers.Range = new RangeHeaderValue(offset, null);
        HttpResponseMessage response = await _http.Value.SendAsync(request, cancellationToken).ConfigureAwait(false);
        ContentRangeHeaderValue? range = response.Content.Headers.ContentRange;
        bool isRest = response.StatusCode == HttpStatusCode.PartialContent
            ? range is { Unit: "bytes" } && range.From == offset && range.Length == totalLength
            : response.StatusCode == HttpStatusCode.OK && offset == 0 && response.Content.Headers.ContentLength == totalLength;
        if (isRest && response.Content.Headers.ContentEncoding.Count == 0)
        {
            return response;
        }

        response.Dispose();
        return null;
    }

    /// <summary>What an operation on the network gives; the default value when it fails or takes too long.</summary>
    private async Task<T?> WithinAsync<T>(CancellationTokenSource silence, long end, Func<Task<T>> operation, CancellationToken cancellationToken)
    {
        TimeSpan left = _time.GetElapsedTime(_time.GetTimestamp(), end);
        if (left <= TimeSpan.Zero)
        {
            return default;
        }

        silence.CancelAfter(left < _silence ? left : _silence);
        try
        {
            return await operation().ConfigureAwait(false);
        }
        catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            return default;
        }
        finally
        {
            silence.CancelAfter(Timeout.InfiniteTimeSpan);
        }
    }

    // The system would buffer megabytes ahead of what has been paid for.
    private static async ValueTask<Stream> ConnectSlowlyAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        Socket socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, ReceiveBufferSize = SmallWindowBytes };
        try
        {
            await socket.ConnectAsync(context.DnsEndPoint, cancellationToken).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
