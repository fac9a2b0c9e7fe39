using Federated.Client.Cli;

namespace Federated.Client.Tests.Cli;

public sealed class VersionTextTests
{
    [Fact]
    public async Task Version_OnTheCommandLine_NamesVersionEngineAndProcessor()
    {
        StringWriter output = new();

        int code = await CommandLine.RunAsync(["--version"], output, TextWriter.Null, TestContext.Current.CancellationToken);

        Assert.Equal(ExitCode.Success, code);
        Assert.Matches(@"(?s)^federated-client \d+\.\d+\.\d+, protocol \d+\s+build: .+\s+engine: ONNX Runtime \d+\.\d+\.\d+\s+processor: \w+, \d+ cores", output.ToString());
    }

    [Theory]
    [InlineData("Features\t: fp asimd evtstrm crc32 asimddp", "asimd asimddp")]
    [InlineData("flags\t\t: fpu sse4_2 avx2 fma", "sse4_2 avx2 fma")]
    [InlineData("model name\t: flags avx2", "no features known")]
    [InlineData("", "no features known")]
    public void Processor_OfADescription_NamesTheTellingFeatures(string line, string expected) =>
        Assert.EndsWith($"cores, {expected}", VersionText.Processor([line]));

    [Fact]
    public void Missing_WithoutOpenSsl_NamesThePackage() =>
        Assert.Contains("apt-get install libssl3", SystemLibraries.Missing(linux: true, _ => false));

    [Theory]
    [InlineData(true, "libssl.so.3")]
    [InlineData(true, "libssl.so.1.1")]
    [InlineData(false, "none")]
    public void Missing_WithWhatTheSystemNeeds_IsNothing(bool linux, string library) =>
        Assert.Null(SystemLibraries.Missing(linux, name => name == library));
}
