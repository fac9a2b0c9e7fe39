using System.Net;
using System.Net.Sockets;
using Federated.Client.Transport;
using Federated.Shared.Protos;

namespace Federated.Client.Tests.Transport;

/// <summary>What a person is told whose device does not reach its server.</summary>
public sealed class UnreachableServerTests
{
    [Fact]
    public async Task Call_NothingListens_NamesTheAddressAndTheCause()
    {
        using TcpListener taken = new(IPAddress.Loopback, 0);
        taken.Start();
        int port = ((IPEndPoint)taken.LocalEndpoint).Port;
        taken.Stop();

        Assert.Equal(
            $"The call to http://127.0.0.1:{port} failed: the connection was refused; nothing listens there, or a firewall is in the way.",
            await FailureOfAsync($"http://127.0.0.1:{port}", TimeSpan.FromSeconds(30)));
    }

    [Fact]
    public async Task Call_NameThatNobodyHas_NamesTheAddressAndTheCause() => Assert.Equal(
        "The call to http://nowhere.invalid:5401 failed: its name is not known.",
        await FailureOfAsync("http://nowhere.invalid:5401", TimeSpan.FromSeconds(60)));

    [Fact]
    public async Task Call_ServerThatKeepsSilent_NamesTheAddressAndTheCause()
    {
        using TcpListener silent = new(IPAddress.Loopback, 0);
        silent.Start();
        int port = ((IPEndPoint)silent.LocalEndpoint).Port;

        Assert.Equal(
            $"The call to http://127.0.0.1:{port} failed: nothing answered in time.",
            await FailureOfAsync($"http://127.0.0.1:{port}", TimeSpan.FromMilliseconds(300)));
    }

    private static async Task<string> FailureOfAsync(string server, TimeSpan timeout)
    {
        await using GrpcServerLink link = GrpcServerLink.Connect(new Uri(server), new GrpcLinkOptions());
        ServerLinkException failure = await Assert.ThrowsAsync<ServerLinkException>(
            () => link.CheckInAsync(new CheckInRequest(), timeout, new ByteCounter(), TestContext.Current.CancellationToken));
        Assert.True(failure.Retriable);
        return failure.Message;
    }
}
