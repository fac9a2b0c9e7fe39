using Federated.Shared.Models;
using Federated.Training.Data;

namespace Federated.Training.Tests.Data;

public sealed class TokenExamplesTests
{
    [Fact]
    public void CopyTo_ShortLastWindow_IsFilledUpAndNotCounted()
    {
        TokenExamples examples = TokenExamples.Of([[1, 2, 3, 4, 5, 6], [7, 8]], 3);
        long[] tokens = new long[9];
        long[] labels = new long[9];

        examples.CopyTo([0, 1, 2], new ExampleBatch([], tokens, labels, []));

        Assert.Equal((3, new ExampleFormat(ElementType.Int64, 3, ElementType.Int64, 3)), (examples.Count, examples.Format));
        Assert.Equal([1, 2, 3, 4, 5, 0, 7, 0, 0], tokens);
        Assert.Equal([2, 3, 4, 5, 6, -100, 8, -100, -100], labels);
    }

    [Fact]
    public void Of_NothingToForetell_IsRefused()
    {
        Assert.Throws<InvalidDataException>(() => TokenExamples.Of([[1], []], 3));
        Assert.Contains("Token 1 is -2", Assert.Throws<InvalidDataException>(() => TokenExamples.Of([[1, -2]], 3)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => TokenExamples.Of([[1, 2]], 0));
    }

    [Fact]
    public void Load_File_ReadsLittleEndianTokens()
    {
        string path = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(path, [1, 0, 0, 0, 0, 1, 0, 0]);
            long[] tokens = new long[1];
            long[] labels = new long[1];
            TokenExamples.Load(path, 1).CopyTo([0], new ExampleBatch([], tokens, labels, []));
            Assert.Equal((1, 256), (tokens[0], labels[0]));

            File.WriteAllBytes(path, [1, 0, 0, 0, 0]);
            Assert.Contains("5 bytes", Assert.Throws<InvalidDataException>(() => TokenExamples.Load(path, 1)).Message, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(path);
        }
    }
}
