using Federated.Server.Grpc;
using Federated.Shared.Protocol;
using ErrorCode = Federated.Shared.Protocol.ErrorCode;

namespace Federated.Server.Tests.Grpc;

/// <summary>What a message's texts may hold, and that a refusal never repeats what a terminal would act on.</summary>
public sealed class DemandTests
{
    [Theory]
    [InlineData("x\n\u001b[2J\u001b[31mwarn: forged line")]
    [InlineData("a\u202egpj.exe")]
    [InlineData("a\u2028b")]
    [InlineData("\u009b2J")]
    public void Identifier_ThatIsNoPlainText_IsNamedByItsLength(string value)
    {
        ProtocolViolationException refusal = Assert.Throws<ProtocolViolationException>(() => Demand.Identifier(value, "device_id"));

        Assert.Equal(ErrorCode.InvalidIdentifier, refusal.Code);
        Assert.StartsWith($"device_id of {value.Length} characters is not an identifier", refusal.Message);
        Assert.DoesNotContain(refusal.Message, char.IsControl);
    }

    [Fact]
    public void Identifier_ThatIsPlainText_IsNamed() =>
        Assert.Contains("device_id '../../etc' is not", Assert.Throws<ProtocolViolationException>(() => Demand.Identifier("../../etc", "device_id")).Message);

    [Theory]
    [InlineData("tab\there")]
    [InlineData("escape \u001b[31m")]
    [InlineData("c1 \u009b31m")]
    [InlineData("turned \u202e back")]
    [InlineData("isolated \u2066 back")]
    [InlineData("line \u2028 separator")]
    [InlineData("paragraph \u2029 separator")]
    [InlineData("invisible \u200b space")]
    [InlineData("tag \U000E0041 character")]
    public void Line_ThatATerminalDoesNotShowAsItIs_IsRefused(string value) =>
        Assert.Equal(ErrorCode.MalformedDocument, Assert.Throws<ProtocolViolationException>(() => Demand.Line(value, "client_version")).Code);

    [Fact]
    public void Line_WithHalfASurrogatePair_IsRefused() => Line_ThatATerminalDoesNotShowAsItIs_IsRefused("half " + '\ud800');

    [Theory]
    [InlineData("")]
    [InlineData("1.2.3-beta+7 (x64)")]
    [InlineData("Zürich, 3. Stock – Küche")]
    [InlineData("屋根 🤖")]
    public void Line_OfPlainText_Passes(string value) => Demand.Line(value, "client_version");
}
