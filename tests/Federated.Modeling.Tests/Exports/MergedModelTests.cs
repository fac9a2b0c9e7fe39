using Federated.Modeling.Exports;
using Federated.Modeling.Lora;
using Federated.Shared.Models;

namespace Federated.Modeling.Tests.Exports;

public sealed class MergedModelTests
{
    [Fact]
    public void Build_PackageWithItsBaseWeightsInTheAdapter_IsRefusedWithTheWayOut()
    {
        ModelPackage package = MergeablePackage.Of(ModelPackage.Build(
            new ModelSpec { Builder = ModelSpec.Mlp, Inputs = 7, Hidden = [6], Classes = 3, Lora = new PackageLora(2, 4, ".*", 1) }, 1));

        ArgumentException refused = Assert.Throws<ArgumentException>(() => MergedModel.Build(package, package.InitialAdapter));

        Assert.Contains("a job with the rule flora", refused.Message, StringComparison.Ordinal);
        Assert.EndsWith("Export it as safetensors.", refused.Message, StringComparison.Ordinal);
    }
}
