using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Federated.Client.Operations;

/// <summary>
/// Answers any HTTP GET on a port of the loopback interface with the device's health: 200 when it is well, 503 when it is not. One request a connection; a web server would double the
/// program for this.
/// </summary>
internal sealed class HealthEndpoint : IAsyncDisposable
{
    private const int MostRequestBytes = 4096;

    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(5);

    private readonly DeviceHealth _health;
    private readonly TcpListener _listener;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _serving;

    /// <summary>Listens.</summary>
    /// <param name="port">The port; 0 takes a free one.</param>
    /// <param name="health">What is answered.</param>
    /// <exception cref="SocketException">The port is taken.</exception>
    public HealthEndpoint(int port, DeviceHealth health)
    {
        _health = health;
        _listener = new TcpListener(IPAddress.Loopback, port);
        _listener.Start();
        _serving = ServeAsync();
    }

    /// <summary>Where it listens.</summary>
    public Uri Address => new($"http://{_listener.LocalEndpoint}/");

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        _listener.Stop();
        await _serving.ConfigureAwait(false);
        _stop.Dispose();
    }

    private async Task ServeAsync()
    {
        while (true)
        {
            try
            {
                using TcpClient client = await _listener.AcceptTcpClientAsync(_stop.Token).ConfigureAwait(false);
                using CancellationTokenSource patience = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
                patience.CancelAfter(_patience);
                await AnswerAsync(client.GetStream(), patience.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (e is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
            {
                // Whoever asked has gone, or is too slow for this.
            }
        }
    }

    private async Task AnswerAsync(NetworkStream stream, CancellationToken cancellationToken)
    {
        byte[] request = new byte[MostRequestBytes];
        int length = 0;
        while (request.AsSpan(0, length).IndexOf("\r\n\r\n"u8) < 0)
        {
            int read = length < request.Length ? await stream.ReadAsync(request.AsMemory(length), cancellationToken).ConfigureAwait(false) : 0;
            if (read == 0)
            {
                return;
            }

            length += read;
        }

        bool get = request.AsSpan(0, length).StartsWith("GET "u8);
        (bool well, byte[] json) = _health.Describe();
        string status = !get ? "405 Method Not Allowed" : well ? "200 OK" : "503 Service Unavailable";
        byte[] body = get ? json : [];
        string head = string.Create(
            CultureInfo.InvariantCulture,
            $"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n");
        await stream.WriteAsync((byte[])[.. Encoding.ASCII.GetBytes(head), .. body], cancellationToken).ConfigureAwait(false);
    }
}
