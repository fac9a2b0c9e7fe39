using Federated.Simulator.Bench;

namespace Federated.Simulator.Tests.Bench;

public sealed class CodecCommandTests
{
    [Fact]
    public void Lines_ForAPipe_BeginWithTheNamesOfTheColumns()
    {
        string[] lines = [.. CodecCommand.Lines([new CodecRow("dense float32", 4_000, 1, 0, 0, 2.5, 3.5)])];
        Assert.Equal("codec\tpayload\tratio\terror\terror of what is sent\tencode, GB/s\tdecode, GB/s", lines[0]);
        Assert.Equal("dense float32\t4.0 kB\t1.0\t0.000\t0.000\t2.50\t3.50", Assert.Single(lines[1..]));
    }
}
