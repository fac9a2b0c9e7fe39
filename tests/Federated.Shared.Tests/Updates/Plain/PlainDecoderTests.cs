using Federated.Shared.Protocol;
using Federated.Shared.Updates.Plain;
using Federated.Shared.Updates.Values;

namespace Federated.Shared.Tests.Updates.Plain;

public sealed class PlainDecoderTests
{
    private const int Parameters = 200;

    private static readonly PlainCodec _codec = new() { Density = 0.1, Values = ValueEncoding.Block8 };

    [Fact]
    public void Decode_SameCodec_IsWhatWasSent()
    {
        float[] delta = new float[Parameters];
        PlainDecoder.Decode(Encode(_codec), _codec, delta);
        Assert.Equal(20, delta.Count(value => value != 0));
    }

    public static TheoryData<string, PlainCodec> Others => new()
    {
        { "values", _codec with { Values = ValueEncoding.Block4 } },
        { "density", _codec with { Density = 0.2 } },
        { "indices", new PlainCodec { Density = 1, Values = ValueEncoding.Block8 } },
    };

    [Theory]
    [MemberData(nameof(Others), DisableDiscoveryEnumeration = true)]
    public void Decode_AnotherCodec_IsRefused(string what, PlainCodec sent)
    {
        ProtocolViolationException e = Assert.Throws<ProtocolViolationException>(() => PlainDecoder.Decode(Encode(sent), _codec, new float[Parameters]));
        Assert.Equal(ErrorCode.MalformedDocument, e.Code);
        Assert.NotEmpty(what);
    }

    private static byte[] Encode(PlainCodec codec) =>
        new PlainEncoder(codec, Parameters).Encode(Vectors.Normal(Parameters, 1), 1, new Residual("job", Parameters), null).ToBytes();
}
