using System.Net;
using System.Net.Sockets;

namespace Federated.Server.Hosting;

/// <summary>Tries both ports before anything is started: one that cannot be had is told in a line, and no job has gone on by then.</summary>
internal static class PortCheck
{
    /// <summary>Listens on both ports for a moment, as the server will.</summary>
    /// <exception cref="RefusedOptionsException">This machine lacks an address.</exception>
    /// <exception cref="InvalidOperationException">A port is taken, or may not be opened.</exception>
    public static void Demand(ServerOptions options)
    {
        using Socket api = Listen("port of the HTTP API", options.ApiAddress, "--api-address", options.ApiPort, "--api-port");

        // The first is held meanwhile: both may have been given the same port.
        using Socket devices = Listen("port for devices", options.Address, "--address", options.GrpcPort, "--grpc-port");
    }

    private static Socket Listen(string what, IPAddress address, string addressOption, int port, string portOption)
    {
        IPEndPoint end = new(address, port);
        Socket? socket = null;
        try
        {
            socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            if (address.Equals(IPAddress.IPv6Any))
            {
                socket.DualMode = true;
            }

            socket.Bind(end);
            socket.Listen();
            return socket;
        }
        catch (SocketException e)
        {
            socket?.Dispose();
            throw e.SocketErrorCode switch
            {
                SocketError.AddressAlreadyInUse => new InvalidOperationException(
                    $"The {what}, {end}, is taken. End what listens there, or give another port with {portOption}; 0 takes a free one.", e),
                SocketError.AccessDenied => new InvalidOperationException(
                    $"The {what}, {end}, may not be opened by this user. Give a port above 1023 with {portOption}.", e),
                SocketError.AddressNotAvailable => new RefusedOptionsException(
                    $"The {what} is to listen on {address}, which this machine does not have. Give one of its own addresses, or 127.0.0.1 or 0.0.0.0, with {addressOption}.", e),
                _ => new InvalidOperationException($"The {what}, {end}, cannot be opened ({addressOption}, {portOption}): {e.Message}", e),
            };
        }
    }
}
