using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Google.Protobuf;

namespace Federated.EndToEnd.Tests.Scene;

/// <summary>
/// Stands between devices and a server that takes clear text, passes all bytes on, and keeps every byte that the server received. Reads from them the
/// messages of all calls: HTTP/2 (RFC 9113) DATA frames by stream, and in them gRPC's length-prefixed messages.
/// </summary>
internal sealed class RecordingRelay : IAsyncDisposable
{
    private const int PrefaceBytes = 24;
    private const int FrameHeaderBytes = 9;
    private const int DataFrame = 0;
    private const byte PaddedFlag = 8;

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentBag<MemoryStream> _received = [];
    private readonly Uri _server;
    private readonly Task _accepting;

    public RecordingRelay(Uri server)
    {
        _server = server;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    /// <summary>Where devices connect.</summary>
    public Uri Address => new($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}");

    /// <summary>What the server has received so far, a connection each.</summary>
    public byte[][] Received() => [.. _received.Select(bytes =>
    {
        lock (bytes)
        {
            return bytes.ToArray();
        }
    })];

    /// <summary>The messages of every call, in order, a call each.</summary>
    public static IEnumerable<byte[][]> CallsOf(byte[] connection)
    {
        Dictionary<uint, MemoryStream> streams = [];
        int at = PrefaceBytes;
        while (at + FrameHeaderBytes <= connection.Length)
        {
            int length = (connection[at] << 16) | BinaryPrimitives.ReadUInt16BigEndian(connection.AsSpan(at + 1));
            uint stream = BinaryPrimitives.ReadUInt32BigEndian(connection.AsSpan(at + 5)) & int.MaxValue;
            if (connection[at + 3] == DataFrame)
            {
                Assert.Equal(0, connection[at + 4] & PaddedFlag);
                MemoryStream data = streams.TryGetValue(stream, out MemoryStream? known) ? known : streams[stream] = new MemoryStream();
                data.Write(connection, at + FrameHeaderBytes, Math.Min(length, connection.Length - at - FrameHeaderBytes));
            }

            at += FrameHeaderBytes + length;
        }

        return streams.OrderBy(stream => stream.Key).Select(stream => MessagesOf(stream.Value.ToArray()));
    }

    /// <summary>Reads a message as a type; null when it is another.</summary>
    public static T? TryParse<T>(MessageParser<T> parser, byte[] message)
        where T : class, IMessage<T>
    {
        try
        {
            return parser.ParseFrom(message);
        }
        catch (InvalidProtocolBufferException)
        {
            return null;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _accepting;
        _stop.Dispose();
    }

    private static byte[][] MessagesOf(byte[] data)
    {
        const int Prefix = 5;
        List<byte[]> messages = [];
        for (int at = 0; at + Prefix <= data.Length;)
        {
            Assert.Equal(0, data[at]);
            int length = BinaryPrimitives.ReadInt32BigEndian(data.AsSpan(at + 1));
            if (at + Prefix + length > data.Length)
            {
                break;
            }

            messages.Add(data[(at + Prefix)..(at + Prefix + length)]);
            at += Prefix + length;
        }

        return [.. messages];
    }

    private async Task AcceptAsync()
    {
        List<Task> connections = [];
        try
        {
            while (true)
            {
                connections.Add(RelayAsync(await _listener.AcceptTcpClientAsync(_stop.Token)));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(connections);
        }
    }

    private async Task RelayAsync(TcpClient device)
    {
        MemoryStream record = new();
        _received.Add(record);
        using TcpClient near = device;
        using TcpClient far = new() { NoDelay = true };
        near.NoDelay = true;
        try
        {
            await far.ConnectAsync(_server.Host, _server.Port, _stop.Token);
            using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
            Task up = CopyAsync(near.GetStream(), far.GetStream(), record, either);
            Task down = CopyAsync(far.GetStream(), near.GetStream(), null, either);
            await Task.WhenAll(up, down);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or SocketException)
        {
            // One end is gone.
        }
    }

    private static async Task CopyAsync(NetworkStream from, NetworkStream to, MemoryStream? record, CancellationTokenSource either)
    {
        byte[] buffer = new byte[1 << 16];
        try
        {
            for (int read; (read = await from.ReadAsync(buffer, either.Token)) > 0;)
            {
                if (record is not null)
                {
                    lock (record)
                    {
                        record.Write(buffer, 0, read);
                    }
                }

                await to.WriteAsync(buffer.AsMemory(0, read), either.Token);
            }
        }
        finally
        {
            await either.CancelAsync();
        }
    }
}
