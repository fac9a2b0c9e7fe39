using Federated.Modeling;
using Federated.Modeling.Lora;
using Federated.Server.Grains;
using Federated.Server.Jobs;
using Federated.Server.Rounds;
using Federated.Shared.Models;

namespace Federated.Server.Tests.Grains;

public sealed class JobGrainStateTests
{
    private static readonly ModelPackage _package = ModelPackage.Build(
        new ModelSpec { Builder = ModelSpec.Mlp, Inputs = 70, Hidden = [64, 48], Classes = 5, Lora = new PackageLora(2, 4, ".*", 1) }, 1);

    [Fact]
    public void ToStatus_BaseWeightsInTheAdapter_AreNotCountedAsADenseUpdate()
    {
        ModelPackage merged = MergeablePackage.Of(_package);

        Assert.True(merged.Manifest.Layout.Length > _package.Manifest.Layout.Length);
        Assert.Equal(DenseBytes(_package.Manifest), DenseBytes(merged.Manifest));
        Assert.Equal(_package.Manifest.Layout.Length * sizeof(float), DenseBytes(merged.Manifest));
    }

    [Fact]
    public void ToStatus_StateFromBeforeTrainedParametersWereCounted_CountsAll()
    {
        JobSpec spec = Spec();
        Assert.Equal(400, new JobGrainState { ParameterCount = 100 }.ToStatus("job-1", spec).DenseAdapterBytes);
    }

    [Fact]
    public void ToStatus_RegressionsEvaluation_IsTold()
    {
        CentralEvaluation before = new(10, 0.5, null, MeanAbsoluteError: 0.25);
        CentralEvaluation now = before with { MeanAbsoluteError = 0.125 };

        JobStatus status = new JobGrainState { InitialEvaluation = before, Evaluation = now }.ToStatus("job-1", Spec());

        Assert.Equal((before, now, null), (status.InitialEvaluation, status.Evaluation, status.Accuracy));
    }

    private static long DenseBytes(PackageManifest manifest)
    {
        JobSpec spec = Spec();
        ContentHash hash = ContentHash.Of([1]);
        return JobGrainState.Submitted("", spec, hash, new CommittedModel(0, hash, 1), manifest, DateTimeOffset.UnixEpoch).ToStatus("job-1", spec).DenseAdapterBytes;
    }

    private static JobSpec Spec() => JobSpec.Parse("""{ "name": "p", "population": "p", "model": { "builder": "mlp" } }""");
}
