using System.Runtime.InteropServices;
using Federated.Client.Personal;
using Federated.Shared.Models;
using Federated.Shared.Protocol;
using Federated.Training;

namespace Federated.Client.Tests.Personal;

public sealed class PersonalDocumentTests
{
    private static readonly float[] _shared = [1, 2, 3];
    private static readonly float[] _personal = [4, 5, float.Epsilon];

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void RoundTrip_GivesTheSame(bool heldOut)
    {
        PersonalDocument document = Document(heldOut ? 2.0 : null, 1.0);

        PersonalDocument read = PersonalDocument.FromBytes(document.ToBytes());

        Assert.Equal(document with { Shared = read.Shared, Personal = read.Personal }, read);
        Assert.Equal(_shared, read.Parameters(personal: false).ToArray());
        Assert.Equal(_personal, read.Parameters(personal: true).ToArray());
    }

    // What was kept when the power went, or by a failing card.
    [Fact]
    public void EveryCutAndEveryChangedByte_IsRefusedOrAnotherDocument()
    {
        byte[] bytes = Document(2, 1).ToBytes();
        for (int length = 0; length < bytes.Length; length++)
        {
            Assert.Throws<ProtocolViolationException>(() => PersonalDocument.FromBytes(bytes.AsMemory(0, length)));
        }

        for (int i = 0; i < bytes.Length; i++)
        {
            byte[] changed = [.. bytes];
            changed[i] ^= 0x55;
            try
            {
                Assert.NotEqual(bytes, PersonalDocument.FromBytes(changed).ToBytes());
            }
            catch (ProtocolViolationException)
            {
                // Refused.
            }
        }
    }

    [Theory]
    [InlineData(2.0, 1.0, true)]
    [InlineData(1.0, 2.0, false)]
    [InlineData(1.0, 1.0, true)]
    [InlineData(null, 2.0, true)]
    [InlineData(1.0, double.NaN, false)]
    public void Better_IsTheLowerLoss(double? sharedLoss, double personalLoss, bool personal) => Assert.Equal(personal, Document(sharedLoss, personalLoss).PersonalIsBetter);

    private static PersonalDocument Document(double? sharedLoss, double personalLoss) => new(
        "job",
        7,
        ContentHash.Of("package"u8),
        sharedLoss is { } loss ? new EvaluationSum(10, 20, 20 * loss, 5) : null,
        new EvaluationSum(10, 20, 20 * personalLoss, 6),
        MemoryMarshal.AsBytes(_shared.AsSpan()).ToArray(),
        MemoryMarshal.AsBytes(_personal.AsSpan()).ToArray());
}
