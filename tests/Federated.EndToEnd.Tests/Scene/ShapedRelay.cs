using System.Net;
using System.Net.Sockets;
using Federated.Shared.Randomness;

namespace Federated.EndToEnd.Tests.Scene;

/// <summary>
/// A bad link between a client and a server on this machine: TCP connections passed on at a rate and with a delay each way. Below TCP nothing can be lost here without the kernel's help (netem,
/// which not every kernel has), so loss is shown as TCP shows it to a program: a lost segment comes a round trip late and holds up those behind it. Besides, the first connections are cut.
/// </summary>
internal sealed class ShapedRelay : IAsyncDisposable
{
    private const int SegmentBytes = 1_400;

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Uri _server;
    private readonly double _bytesPerSecond;
    private readonly TimeSpan _delay;
    private readonly double _loss;
    private readonly Queue<int> _cutAfterBytes;
    private readonly Task _accepting;
    private int _connections;
    private int _lost;

    /// <param name="server">Where connections lead.</param>
    /// <param name="kilobits">Rate each way, in kbit/s.</param>
    /// <param name="roundTrip">Delay there and back.</param>
    /// <param name="loss">Share of segments lost.</param>
    /// <param name="cutAfterBytes">The first connections are cut after so many bytes to the client, one entry a connection.</param>
    public ShapedRelay(Uri server, double kilobits, TimeSpan roundTrip, double loss, params IEnumerable<int> cutAfterBytes)
    {
        _server = server;
        _bytesPerSecond = kilobits * 1000 / 8;
        _delay = roundTrip / 2;
        _loss = loss;
        _cutAfterBytes = new Queue<int>(cutAfterBytes);
        _listener.Start();
        _accepting = AcceptAsync();
    }

    /// <summary>Where clients connect.</summary>
    public Uri Address => new UriBuilder(_server) { Port = ((IPEndPoint)_listener.LocalEndpoint).Port }.Uri;

    /// <summary>Connections so far.</summary>
    public int Connections => Volatile.Read(ref _connections);

    /// <summary>Segments lost so far.</summary>
    public int Lost => Volatile.Read(ref _lost);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _accepting;
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        List<Task> open = [];
        try
        {
            while (true)
            {
                TcpClient near = await _listener.AcceptTcpClientAsync(_stop.Token);
                int number = Interlocked.Increment(ref _connections);
                open.Add(ServeAsync(near, number, _cutAfterBytes.TryDequeue(out int bytes) ? bytes : int.MaxValue));
            }
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(open);
        }
    }

    private async Task ServeAsync(TcpClient near, int number, int cutAfterBytes)
    {
        using (near)
        using (TcpClient far = new())
        using (CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token))
        {
            try
            {
                await far.ConnectAsync(IPAddress.Loopback, _server.Port, either.Token);
                Task up = PumpAsync(near, far, SeededGenerator.For(7, "up", (ulong)number), int.MaxValue, either.Token);
                Task down = PumpAsync(far, near, SeededGenerator.For(7, "down", (ulong)number), cutAfterBytes, either.Token);
                await Task.WhenAny(up, down);

                // A connection that ends in one direction ends in both, and hard.
                near.Client.LingerState = new LingerOption(enable: true, 0);
                near.Client.Close();
                far.Client.Close();
                await either.CancelAsync();
                await Task.WhenAll(up, down);
            }
            catch (Exception e) when (e is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
            {
            }
        }
    }

    private async Task PumpAsync(TcpClient from, TcpClient to, SeededGenerator random, int cutAfterBytes, CancellationToken ct)
    {
        System.Threading.Channels.Channel<(byte[] Bytes, TimeSpan Due)> onTheWay = System.Threading.Channels.Channel.CreateBounded<(byte[], TimeSpan)>(64);
        long began = TimeProvider.System.GetTimestamp();
        Task delivering = DeliverAsync();
        try
        {
            TimeSpan free = TimeSpan.Zero;
            byte[] buffer = new byte[SegmentBytes];
            int passed = 0;
            int read;
            while (passed < cutAfterBytes && (read = await from.GetStream().ReadAsync(buffer, ct)) > 0)
            {
                passed += read;
                TimeSpan now = TimeProvider.System.GetElapsedTime(began);
                free = (free > now ? free : now) + TimeSpan.FromSeconds(read / _bytesPerSecond);
                if (random.NextDouble() < _loss)
                {
                    Interlocked.Increment(ref _lost);
                    free += 2 * _delay;
                }

                await onTheWay.Writer.WriteAsync((buffer[..read], free + _delay), ct);
            }
        }
        finally
        {
            onTheWay.Writer.TryComplete();
        }

        await delivering;

        async Task DeliverAsync()
        {
            await foreach ((byte[] bytes, TimeSpan due) in onTheWay.Reader.ReadAllAsync(ct))
            {
                TimeSpan left = due - TimeProvider.System.GetElapsedTime(began);
                if (left > TimeSpan.Zero)
                {
                    await Task.Delay(left, TimeProvider.System, ct);
                }

                await to.GetStream().WriteAsync(bytes, ct);
            }
        }
    }
}
