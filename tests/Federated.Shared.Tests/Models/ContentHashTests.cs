using Federated.Shared.Models;

namespace Federated.Shared.Tests.Models;

public sealed class ContentHashTests
{
    // FIPS 180-2, appendix B.1.
    [Fact]
    public void Of_Abc_GivesThePublishedDigest() => Assert.Equal(
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        ContentHash.Of("abc"u8).Hex);

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("ba78")]
    [InlineData("za7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")]
    public void TryParse_NotADigest_IsRefused(string? text) => Assert.False(ContentHash.TryParse(text, out _));

    [Fact]
    public void Equals_DefaultAndAllZeros_AreTheSame()
    {
        Assert.Equal(default, ContentHash.Parse(new string('0', 64)));
        Assert.Equal(new string('0', 64), default(ContentHash).Hex);
        Assert.NotEqual(default, ContentHash.Of([]));
    }
}
