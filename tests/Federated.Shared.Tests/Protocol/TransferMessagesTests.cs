using System.Text;
using Federated.Shared.Protos;
using Google.Protobuf;

namespace Federated.Shared.Tests.Protocol;

/// <summary>The bytes of downloads, so that clients and servers of any version understand each other.</summary>
public sealed class TransferMessagesTests
{
    private static readonly string _sha256 = string.Concat(Enumerable.Repeat("11", 32));

    [Fact]
    public void Request_ForTheServersOwnHand_HasTheBytesOfTheFirstVersion()
    {
        DownloadRequest request = new() { Sha256 = ByteString.CopyFrom(Convert.FromHexString(_sha256)), Offset = 300 };
        Assert.Equal($"0a20{_sha256}10ac02", Hex(request));

        request.Direct = true;
        Assert.Equal($"0a20{_sha256}10ac021801", Hex(request));
    }

    [Fact]
    public void Chunk_WithData_HasTheBytesOfTheFirstVersion()
    {
        DownloadChunk chunk = new() { Offset = 300, TotalLength = 70_000, Data = ByteString.CopyFrom(1, 2) };
        Assert.Equal("08ac0210f0a2041a020102", Hex(chunk));

        DownloadChunk answer = new() { Offset = 300, TotalLength = 70_000, Address = "https://a/b" };
        Assert.Equal($"08ac0210f0a204220b{Convert.ToHexStringLower(Encoding.ASCII.GetBytes("https://a/b"))}", Hex(answer));
    }

    private static string Hex(IMessage message) => Convert.ToHexStringLower(message.ToByteArray());
}
