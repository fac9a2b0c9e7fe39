using System.Net;
using System.Net.Sockets;

namespace Federated.EndToEnd.Tests.Scene;

/// <summary>A TCP relay on loopback that counts the bytes it passes on, either way.</summary>
internal sealed class CountingRelay : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task> _connections = [];
    private Task _accepting = Task.CompletedTask;
    private long _bytesUp;
    private long _bytesDown;

    /// <summary>Bytes to the server so far.</summary>
    public long BytesUp => Interlocked.Read(ref _bytesUp);

    /// <summary>Bytes from the server so far.</summary>
    public long BytesDown => Interlocked.Read(ref _bytesDown);

    /// <summary>Begins to relay.</summary>
    /// <param name="server">Where to.</param>
    /// <returns>Where clients connect instead.</returns>
    public Uri To(Uri server)
    {
        _listener.Start();
        _accepting = AcceptAsync(server);
        return new UriBuilder(server) { Port = ((IPEndPoint)_listener.LocalEndpoint).Port }.Uri;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _accepting;
        await Task.WhenAll(_connections);
        _listener.Dispose();
        _stop.Dispose();
    }

    private async Task AcceptAsync(Uri server)
    {
        try
        {
            while (true)
            {
                TcpClient client = await _listener.AcceptTcpClientAsync(_stop.Token);
                _connections.Add(RelayAsync(client, server));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException)
        {
            // It was stopped.
        }
    }

    private async Task RelayAsync(TcpClient client, Uri server)
    {
        using TcpClient near = client;
        using TcpClient far = new() { NoDelay = true };
        near.NoDelay = true;
        await far.ConnectAsync(server.Host, server.Port, _stop.Token);
        await Task.WhenAll(
            PassAsync(near.GetStream(), far.GetStream(), count => Interlocked.Add(ref _bytesUp, count)),
            PassAsync(far.GetStream(), near.GetStream(), count => Interlocked.Add(ref _bytesDown, count)));
    }

    private async Task PassAsync(NetworkStream from, NetworkStream to, Action<int> count)
    {
        byte[] buffer = new byte[1 << 16];
        try
        {
            for (int read = await from.ReadAsync(buffer, _stop.Token); read > 0; read = await from.ReadAsync(buffer, _stop.Token))
            {
                count(read);
                await to.WriteAsync(buffer.AsMemory(0, read), _stop.Token);
            }

            to.Socket.Shutdown(SocketShutdown.Send);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // One side has gone, or the relay was stopped.
        }
    }
}
