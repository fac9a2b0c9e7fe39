using System.Net.Sockets;
using System.Security.Authentication;
using Federated.Client.Transport;
using Grpc.Core;

namespace Federated.Client.Tests.Transport;

public sealed class ConnectionFailureTests
{
    public static TheoryData<Exception, string> Failures => new()
    {
        { new RpcException(new Status(StatusCode.Unavailable, "Error connecting to subchannel.", new SocketException((int)SocketError.ConnectionRefused))), "the connection was refused; nothing listens there, or a firewall is in the way" },
        { new HttpRequestException("x", new SocketException((int)SocketError.HostNotFound)), "its name is not known" },
        { new HttpRequestException("x", new SocketException((int)SocketError.NetworkUnreachable)), "there is no way to it from here" },
        { new IOException("x", new SocketException((int)SocketError.ConnectionReset)), "the connection was broken off" },
        { new TaskCanceledException("x", new TimeoutException("y")), "nothing answered in time" },
        { new RpcException(new Status(StatusCode.DeadlineExceeded, "")), "nothing answered in time" },
        { new HttpRequestException("The SSL connection could not be established, see inner exception.", new AuthenticationException("UntrustedRoot.")), "the TLS handshake failed: UntrustedRoot" },
        { new AuthenticationException("see inner exception.", new IOException("bad record.")), "the TLS handshake failed: bad record" },
        { new HttpRequestException("x", new IOException("The response ended prematurely.")), "The response ended prematurely" },
    };

    [Theory]
    [MemberData(nameof(Failures), DisableDiscoveryEnumeration = true)]
    public void ReasonOf_Failure_IsItsInnermostCauseInWords(Exception failure, string reason) => Assert.Equal(reason, ConnectionFailure.ReasonOf(failure));
}
