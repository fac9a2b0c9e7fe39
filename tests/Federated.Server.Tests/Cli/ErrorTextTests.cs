using Federated.Server.Cli;

namespace Federated.Server.Tests.Cli;

public sealed class ErrorTextTests
{
    [Fact]
    public void Of_ArgumentErrors_LeavesTheMessageAlone()
    {
        Assert.Equal("The rank is 0.", ErrorText.Of(new ArgumentException("The rank is 0.", "settings")));
        Assert.Equal("The rank is 0.", ErrorText.Of(new ArgumentOutOfRangeException("settings", 0, "The rank is 0.")));
        Assert.Equal(
            "The graph is broken: the axis is 9.",
            ErrorText.Of(new InvalidDataException($"The graph is broken: {new ArgumentException("the axis is 9.", "axis").Message}")));
        Assert.Equal($"One.{Environment.NewLine}Two (three).", ErrorText.Of(new InvalidDataException($"One.{Environment.NewLine}Two (three).")));
    }
}
