using System.Text.Json;
using Federated.EndToEnd.Tests.Scene;
using Federated.Modeling;
using Federated.Testing;

namespace Federated.EndToEnd.Tests;

/// <summary>The command line tells what a round costs a device.</summary>
public sealed class CostTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public async Task Cost_PackageAndJob_ExitCodeSaysWhetherTheyFit()
    {
        CancellationToken ct = TestContext.Current.CancellationToken;
        string package = Path.Combine(_folder.Path, "package");
        _ = PackageFolder.Write(ModelPackage.Build(new ModelSpec { Builder = ModelSpec.Mlp, Hidden = [24] }, 1), package);
        string job = Path.Combine(_folder.Path, "job.json");
        await File.WriteAllTextAsync(job, """
            { "name": "slow", "population": "p", "rounds": 1, "model": { "builder": "cnn" }, "cohort": { "goal": 2 }, "training": { "epochs": 100 }, "deadlines": { "reportSeconds": 5 } }
            """, ct);

        (int fits, string output) = await ProgramRun.RunAsync("Federated.Server", "models", "cost", package, "--device", "pi4", "--json");
        (int late, string reason) = await ProgramRun.RunAsync("Federated.Server", "models", "cost", job, "--device", "pi4");
        (int twice, string nothing) = await ProgramRun.RunAsync("Federated.Server", "models", "cost", job, "--device", "pi4", "--batch", "5");
        (int unknown, _) = await ProgramRun.RunAsync("Federated.Server", "models", "cost", package, "--device", "pi9");

        Assert.Equal((0, 3, 2), (fits, late, unknown));
        Assert.Equal((2, ""), (twice, nothing));
        JsonElement cost = JsonDocument.Parse(output).RootElement;
        Assert.True(cost.GetProperty("fits").GetBoolean());
        Assert.True(cost.GetProperty("stepSeconds").GetDouble() > 0 && cost.GetProperty("peakMemoryBytes").GetDouble() > 5e7);
        Assert.Contains("does not fit: a round takes", reason, StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Dispose();
}
