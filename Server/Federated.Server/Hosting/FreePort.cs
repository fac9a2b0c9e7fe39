using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace Federated.Server.Hosting;

/// <summary>Finds a loopback port for the silo, which no device and no person ever addresses.</summary>
internal static class FreePort
{
    // Systems give ports from 32768 (Linux) or 49152 (IANA) on to outgoing connections, one of which could take a port between the search and its use.
    private const int First = 20_000;
    private const int End = 32_768;
    private const int Attempts = 100;

    /// <summary>A port that was free a moment ago, and that the system gives to nobody by itself.</summary>
    /// <exception cref="IOException">A hundred ports in turn are taken.</exception>
    public static int Find()
    {
        for (int i = 0; i < Attempts; i++)
        {
            int port = RandomNumberGenerator.GetInt32(First, End);
            using Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
                return port;
            }
            catch (SocketException e) when (e.SocketErrorCode is SocketError.AddressAlreadyInUse or SocketError.AccessDenied)
            {
            }
        }

        throw new IOException($"No free port was found between {First} and {End - 1} in {Attempts} attempts. Look for a process that listens on very many ports.");
    }
}
