using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace Federated.Simulator.Bench;

/// <summary>What this machine allows at best to whoever moves updates over its loopback interface and hashes them.</summary>
/// <param name="LoopbackBytesPerCpuSecond">Bytes through a TCP connection a second of processor time, both ends together, 64 KiB a call.</param>
/// <param name="HashBytesPerCpuSecond">Bytes through SHA-256 a second on one thread.</param>
internal sealed record TransferLimits(double LoopbackBytesPerCpuSecond, double HashBytesPerCpuSecond)
{
    private const int BlockBytes = 64 << 10;
    private const long TotalBytes = 512L << 20;

    /// <summary>
    /// The least wall time of a round in which every client downloads and uploads <paramref name="bytes"/>: each byte goes through the
    /// loopback interface twice and through SHA-256 three times (the download's check, the upload's name, the server's check), spread
    /// over all processors, and nothing else is done.
    /// </summary>
    public double LeastSeconds(int clients, long bytes) =>
        clients * bytes * ((2 / LoopbackBytesPerCpuSecond) + (3 / HashBytesPerCpuSecond)) / Environment.ProcessorCount;

    /// <summary>Measures both.</summary>
    public static async Task<TransferLimits> MeasureAsync(CancellationToken ct) => new(await LoopbackAsync(ct), Hash());

    private static double Hash()
    {
        byte[] block = new byte[BlockBytes];
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        long start = Stopwatch.GetTimestamp();
        for (long done = 0; done < TotalBytes; done += BlockBytes)
        {
            hash.AppendData(block);
        }

        return TotalBytes / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static async Task<double> LoopbackAsync(CancellationToken ct)
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        using TcpClient sender = new();
        Task<TcpClient> accepting = listener.AcceptTcpClientAsync(ct).AsTask();
        await sender.ConnectAsync((IPEndPoint)listener.LocalEndpoint, ct);
        using TcpClient receiver = await accepting;
        TimeSpan before = Environment.CpuUsage.TotalTime;
        await Task.WhenAll(Task.Run(() => Send(sender.Client), ct), Task.Run(() => Receive(receiver.Client), ct));
        return TotalBytes / (Environment.CpuUsage.TotalTime - before).TotalSeconds;
    }

    private static void Send(Socket socket)
    {
        byte[] block = new byte[BlockBytes];
        for (long sent = 0; sent < TotalBytes;)
        {
            sent += socket.Send(block);
        }
    }

    private static void Receive(Socket socket)
    {
        byte[] block = new byte[BlockBytes];
        for (long received = 0; received < TotalBytes;)
        {
            int count = socket.Receive(block);
            received += count > 0 ? count : throw new InvalidOperationException($"The loopback connection ended after {received} of {TotalBytes} bytes.");
        }
    }
}
