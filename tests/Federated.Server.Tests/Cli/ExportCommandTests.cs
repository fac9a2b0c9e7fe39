using Federated.Modeling;
using Federated.Modeling.Exports;
using Federated.Server.Cli;
using Federated.Server.Rounds;
using Federated.Shared.Models;
using Federated.Shared.Protocol;

namespace Federated.Server.Tests.Cli;

/// <summary>An export says which model it is, and adapters are taken in every form that an export writes.</summary>
public sealed class ExportCommandTests : IDisposable
{
    private static readonly ModelPackage _package = ModelPackage.Build(
        new ModelSpec { Builder = ModelSpec.Mlp, Inputs = 4, Hidden = [8], Classes = 3, Lora = new PackageLora(2, 4, ".*", 1) }, 1);

    private static readonly float[] _trained = [.. _package.InitialAdapter.Select((value, i) => value + i)];

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("export-");

    [Fact]
    public void Origin_OfAJob_SaysVersionRoundAndScore()
    {
        CentralEvaluation evaluation = new(10, 0.5, null, MeanAbsoluteError: 0.25);

        Assert.Equal(
            "tagger: job tags-1, version 12, made by round 14, mean absolute error 0.2500", new ExportedFiles("tagger", "tags-1", 12, 14, evaluation, []).Origin);
        Assert.Equal("tagger: job tags-1, version 0, before the first round", new ExportedFiles("tagger", "tags-1", 0, 0, null, []).Origin);
        Assert.Equal("tagger: an adapter that states no version", new ExportedFiles("tagger", null, null, null, null, []).Origin);
    }

    [Fact]
    public void Metadata_OfAJob_SayTheSame() => Assert.Equal(
        ["federated.model", "federated.job=tags-1", "federated.version=12", "federated.round=14", "federated.score=accuracy 97.00 %"],
        ExportCommand.Metadata(new OpenedPackage(_package, 12, "tags-1", 14, new CentralEvaluation(10, 0.5, 0.97)))
            .Select(text => text.Key == "federated.model" ? text.Key : $"{text.Key}={text.Value}"));

    [Fact]
    public async Task Open_AdapterInAnyForm_TakesIt()
    {
        CancellationToken ct = TestContext.Current.CancellationToken;
        string peft = Directory.CreateDirectory(Path.Combine(_folder.FullName, "peft")).FullName;
        (byte[] weights, byte[] config) = PeftAdapter.Write(_package.Manifest, _trained);
        string file = await WriteAsync("peft/" + PeftAdapter.WeightsFile, weights);
        _ = await WriteAsync("peft/" + PeftAdapter.ConfigFile, config);
        string tensors = await WriteAsync("adapter.safetensors", SafetensorsFile.Write(AdapterTensors.Of(_package.Manifest, _trained)));
        string document = await WriteAsync("trained.adapter", AdapterDocument.ToBytes(7, _trained));

        foreach ((string path, long? version) in new (string, long?)[] { (peft, null), (file, null), (tensors, null), (document, 7) })
        {
            OpenedPackage opened = await OpenAsync(path, ct);
            Assert.Equal(_trained, opened.Package.InitialAdapter);
            Assert.Equal(version, opened.Version);
        }
    }

    [Fact]
    public async Task Open_AdapterThatIsNotThere_IsNamed() => Assert.Contains(
        "no file and no folder", (await Assert.ThrowsAsync<CommandException>(() => OpenAsync(Path.Combine(_folder.FullName, "none"), TestContext.Current.CancellationToken))).Message, StringComparison.Ordinal);

    public void Dispose() => _folder.Delete(recursive: true);

    private Task<OpenedPackage> OpenAsync(string adapter, CancellationToken ct)
    {
        string package = Path.Combine(_folder.FullName, "package");
        _ = PackageFolder.Write(_package, package);
        return PackageSource.OpenAsync(package, new FileInfo(adapter), () => throw new InvalidOperationException("A folder needs no server."), ct);
    }

    private async Task<string> WriteAsync(string name, byte[] content)
    {
        string path = Path.Combine(_folder.FullName, name);
        await File.WriteAllBytesAsync(path, content, TestContext.Current.CancellationToken);
        return path;
    }
}
