using System.Runtime.InteropServices;
using Federated.ElfEdit;
using TorchSharp;

namespace Federated.Training.Torch.Tests.Native;

public sealed class TorchLoadingTests
{
    [Fact]
    public void Torch_OnThisMachine_LoadsAndDifferentiates()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        torch.Tensor x = torch.tensor([1f, 2f, 3f], requires_grad: true);

        (x * x).sum().backward();

        Assert.Equal([2f, 4f, 6f], x.grad!.data<float>().ToArray());
    }

    // Exceptions cross from the edited library's C++ into .NET through libstdc++'s unwinder.
    [Fact]
    public void Torch_ShapesThatDoNotFit_ThrowsInsteadOfCrashing()
    {
        using DisposeScope scope = torch.NewDisposeScope();

        _ = Assert.Throws<ExternalException>(() => torch.ones(2, 3).mm(torch.ones(2, 3)));
    }

    [Fact]
    public void Build_OnLinux_PutsTheEditedCopyBesideTheProgram()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Other platforms use the package's library as it is.");
        byte[] expected = File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Shipped", "libLibTorchSharp.so"));
        Assert.True(VersionNeeds.Weaken(expected, "libstdc++.so.6", "GLIBCXX_3.4.32"));

        Assert.Equal(expected, File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "libLibTorchSharp.so")));
    }
}
