using CsCheck;
using Orleans.Runtime;

namespace Federated.Server.Storage.Tests.Storage;

public sealed class GrainStateNamesTests
{
    [Theory]
    [InlineData("job", "job", "mnist-1", "grains/job/job/mnist-1.json")]
    [InlineData("Job", "job", "A/../b", "grains/_4aob/job/_41_2f.._2fb.json")]
    [InlineData("job", "job", ".", "grains/job/job/_2e.json")]
    [InlineData("job", "job", "ü_", "grains/job/job/_c3_bc_5f.json")]
    public void BlobName_OfAGrain_EscapesWhatIsUnsafe(string state, string type, string key, string expected) =>
        Assert.Equal(expected, GrainStateNames.BlobName(state, GrainId.Create(type, key)));

    [Fact]
    public void BlobName_OfAnyGrain_IsAllowed() => Gen.Select(Gen.String, Gen.String[1, 300], Gen.String[1, 300]).Sample((state, type, key) =>
        BlobNames.Check(GrainStateNames.BlobName(state, GrainId.Create(type, key))));

    [Fact]
    public void BlobName_OfDifferentKeys_DiffersEvenWithoutCase()
    {
        Gen<string> key = Gen.Char["aA_./~5f"].Array[1, 200].Select(characters => new string(characters));
        Gen.Select(key, key).Where((a, b) => a != b).Sample((a, b) => Assert.NotEqual(
            GrainStateNames.BlobName("s", GrainId.Create("t", a)),
            GrainStateNames.BlobName("s", GrainId.Create("t", b)),
            StringComparer.OrdinalIgnoreCase));
    }
}
