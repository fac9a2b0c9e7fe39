using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Federated.Client.Operations;

/// <summary>
/// Tells systemd that the service has started, that it is alive, and that it stops: datagrams to the socket that <c>NOTIFY_SOCKET</c> names, see sd_notify(3). Alive means that the process still
/// runs timers; a device that waits an hour for its next check-in is alive.
/// </summary>
internal sealed class ServiceNotifications : IDisposable
{
    private readonly Socket _socket;
    private readonly UnixDomainSocketEndPoint _manager;
    private readonly ITimer? _timer;

    private ServiceNotifications(string path, TimeSpan? watchdog, TimeProvider time)
    {
        _socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);

        // With @ in front it is a name without a file.
        _manager = new UnixDomainSocketEndPoint(path[0] == '@' ? "\0" + path[1..] : path);
        Send("READY=1");

        // Half the time that systemd waits, as its manual advises.
        _timer = watchdog is { } period ? time.CreateTimer(_ => Send("WATCHDOG=1"), null, period / 2, period / 2) : null;
    }

    /// <summary>Says that the service has started; null when no systemd wants to know.</summary>
    /// <param name="socket">Value of <c>NOTIFY_SOCKET</c>.</param>
    /// <param name="watchdogMicroseconds">Value of <c>WATCHDOG_USEC</c>.</param>
    /// <param name="time">The clock of the watchdog.</param>
    public static ServiceNotifications? Start(string? socket, string? watchdogMicroseconds, TimeProvider time)
    {
        if (string.IsNullOrEmpty(socket) || (socket[0] != '/' && socket[0] != '@'))
        {
            return null;
        }

        TimeSpan? watchdog = long.TryParse(watchdogMicroseconds, NumberStyles.None, CultureInfo.InvariantCulture, out long microseconds) && microseconds > 0
            ? TimeSpan.FromMicroseconds(microseconds)
            : null;
        return new ServiceNotifications(socket, watchdog, time);
    }

    /// <summary>Says that the service stops.</summary>
    public void Dispose()
    {
        _timer?.Dispose();
        Send("STOPPING=1");
        _socket.Dispose();
    }

    private void Send(string message)
    {
        try
        {
            _socket.SendTo(Encoding.ASCII.GetBytes(message), _manager);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Without systemd there is nobody to tell.
        }
    }
}
