using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Federated.Client.Operations;

/// <summary>What <see cref="LocalHttp"/> was asked.</summary>
/// <param name="Method">GET, POST, …</param>
/// <param name="Path">As it was sent, with a leading slash.</param>
/// <param name="Body">Empty when none was announced.</param>
internal sealed record LocalRequest(string Method, string Path, ReadOnlyMemory<byte> Body);

/// <summary>
/// HTTP/1.1 with JSON answers for programs on the same machine, on the loopback interface or a Unix socket: one request a connection, one connection at a time. A web server would double
/// the program for this.
/// </summary>
internal sealed class LocalHttp : IAsyncDisposable
{
    private const int MostHeadBytes = 4096;

    private static readonly TimeSpan _defaultPatience = TimeSpan.FromSeconds(5);

    private readonly Func<LocalRequest, CancellationToken, Task<LocalAnswer>> _answer;
    private readonly int _mostBodyBytes;
    private readonly TimeSpan _patience;
    private readonly string? _socketPath;
    private readonly Socket _listener;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _serving;

    private LocalHttp(
        Socket listener, string? socketPath, int mostBodyBytes, Func<LocalRequest, CancellationToken, Task<LocalAnswer>> answer, TimeSpan? patience)
    {
        _listener = listener;
        _socketPath = socketPath;
        _mostBodyBytes = mostBodyBytes;
        _answer = answer;
        _patience = patience ?? _defaultPatience;
        _serving = ServeAsync();
    }

    /// <summary>Where it listens: a URL or <c>unix:PATH</c>.</summary>
    public string Address => _socketPath is null ? $"http://{_listener.LocalEndPoint}/" : $"unix:{_socketPath}";

    /// <summary>Listens on the loopback interface.</summary>
    /// <param name="port">The port; 0 takes a free one.</param>
    /// <param name="mostBodyBytes">Longest body that is read.</param>
    /// <param name="answer">Answers. An exception of it ends the connection without an answer.</param>
    /// <param name="patience">How long a caller may take to send its request, and again to read the answer; 5 s when left out.</param>
    /// <exception cref="SocketException">The port is taken.</exception>
    public static LocalHttp OnPort(int port, int mostBodyBytes, Func<LocalRequest, CancellationToken, Task<LocalAnswer>> answer, TimeSpan? patience = null)
    {
        Socket listener = Listening(new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp), new IPEndPoint(IPAddress.Loopback, port));
        return new LocalHttp(listener, null, mostBodyBytes, answer, patience);
    }

    /// <summary>Listens on a Unix socket that this user alone may connect to. A socket that nobody listens on any more is replaced.</summary>
    /// <param name="path">Where the socket is made; it is deleted at the end.</param>
    /// <param name="mostBodyBytes">Longest body that is read.</param>
    /// <param name="answer">Answers. An exception of it ends the connection without an answer.</param>
    /// <param name="patience">How long a caller may take to send its request, and again to read the answer; 5 s when left out.</param>
    /// <exception cref="SocketException">The path cannot be listened on, or somebody listens on it.</exception>
    public static LocalHttp OnSocket(string path, int mostBodyBytes, Func<LocalRequest, CancellationToken, Task<LocalAnswer>> answer, TimeSpan? patience = null)
    {
        UnixDomainSocketEndPoint place = new(path);
        if (IsAbandoned(path, place))
        {
            File.Delete(path);
        }

        Socket listener = Listening(new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified), place);
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }

        return new LocalHttp(listener, path, mostBodyBytes, answer, patience);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        _listener.Dispose();
        await _serving.ConfigureAwait(false);
        _stop.Dispose();
        if (_socketPath is not null)
        {
            File.Delete(_socketPath);
        }
    }

    private static Socket Listening(Socket socket, EndPoint place)
    {
        try
        {
            socket.Bind(place);
            socket.Listen();
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    // What is no socket is left alone: binding then says that the address is in use.
    private static bool IsAbandoned(string path, UnixDomainSocketEndPoint place)
    {
        if (!File.Exists(path) || new FileInfo(path).Length > 0)
        {
            return false;
        }

        using Socket probe = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            probe.Connect(place);
            return false;
        }
        catch (SocketException e)
        {
            return e.SocketErrorCode == SocketError.ConnectionRefused;
        }
    }

    private async Task ServeAsync()
    {
        while (true)
        {
            try
            {
                using Socket client = await _listener.AcceptAsync(_stop.Token).ConfigureAwait(false);
                await using NetworkStream stream = new(client);
                if (await ReadAsync(stream).ConfigureAwait(false) is { } asked)
                {
                    await WriteAsync(stream, asked.Refusal ?? await _answer(asked.Request!, _stop.Token).ConfigureAwait(false)).ConfigureAwait(false);
                }
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

    /// <summary>Null when the caller has gone.</summary>
    private async Task<(LocalRequest? Request, LocalAnswer? Refusal)?> ReadAsync(NetworkStream stream)
    {
        using CancellationTokenSource patience = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        patience.CancelAfter(_patience);
        byte[] bytes = new byte[MostHeadBytes];
        int length = 0;
        int end;
        while ((end = bytes.AsSpan(0, length).IndexOf("\r\n\r\n"u8)) < 0)
        {
            int read = length < bytes.Length ? await stream.ReadAsync(bytes.AsMemory(length), patience.Token).ConfigureAwait(false) : 0;
            if (read == 0)
            {
                return null;
            }

            length += read;
        }

        string[] head = Encoding.ASCII.GetString(bytes, 0, end).Split("\r\n");
        string[] line = head[0].Split(' ');
        if (line.Length != 3)
        {
            return null;
        }

        if (head.Any(header => header.StartsWith("Transfer-Encoding:", StringComparison.OrdinalIgnoreCase)))
        {
            return (null, LocalAnswer.Error("411 Length Required", "Send the body with its Content-Length, not in chunks."));
        }

        string? announced = head.Skip(1).FirstOrDefault(header => header.StartsWith("Content-Length:", StringComparison.OrdinalIgnoreCase));
        int wanted = 0;
        if (announced is not null && !int.TryParse(announced.AsSpan(announced.IndexOf(':', StringComparison.Ordinal) + 1), NumberStyles.AllowLeadingWhite, CultureInfo.InvariantCulture, out wanted))
        {
            return (null, LocalAnswer.Error("400 Bad Request", "Content-Length is no number."));
        }

        if (wanted > _mostBodyBytes)
        {
            return (null, LocalAnswer.Error("413 Content Too Large", $"The body has {wanted} bytes, the limit is {_mostBodyBytes}."));
        }

        // A caller that asks leave first, as curl does for long bodies, waits for it.
        if (head.Any(header => header.Equals("Expect: 100-continue", StringComparison.OrdinalIgnoreCase)))
        {
            await stream.WriteAsync("HTTP/1.1 100 Continue\r\n\r\n"u8.ToArray(), patience.Token).ConfigureAwait(false);
        }

        byte[] body = new byte[wanted];
        int first = Math.Min(length - end - 4, wanted);
        bytes.AsSpan(end + 4, first).CopyTo(body);
        await stream.ReadExactlyAsync(body.AsMemory(first), patience.Token).ConfigureAwait(false);
        return (new LocalRequest(line[0], line[1], body), null);
    }

    private async Task WriteAsync(NetworkStream stream, LocalAnswer answer)
    {
        using CancellationTokenSource patience = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        patience.CancelAfter(_patience);
        string head = string.Create(
            CultureInfo.InvariantCulture,
            $"HTTP/1.1 {answer.Status}\r\nContent-Type: application/json\r\nContent-Length: {answer.Json.Length}\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n");
        await stream.WriteAsync((byte[])[.. Encoding.ASCII.GetBytes(head), .. answer.Json], patience.Token).ConfigureAwait(false);
    }
}
