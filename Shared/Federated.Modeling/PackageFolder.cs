using Federated.Shared.Models;
using Federated.Shared.Protocol;

namespace Federated.Modeling;

/// <summary>
/// A package as a folder: <c>package.json</c>, <c>gradient.onnx</c>, <c>evaluation.onnx</c>, <c>model.onnx</c>, <c>initial.adapter</c> and the frozen
/// weights under their hash, which is the name the graphs have for them.
/// </summary>
public static class PackageFolder
{
    /// <summary>The manifest's file.</summary>
    public const string ManifestFile = "package.json";

    /// <summary>The adapter that jobs start from.</summary>
    public const string AdapterFile = "initial.adapter";

    /// <summary>Loss and gradients.</summary>
    public const string GradientFile = "gradient.onnx";

    /// <summary>Loss and score.</summary>
    public const string EvaluationFile = "evaluation.onnx";

    private const string ModelFile = "model.onnx";

    /// <summary>
    /// Writes a package. One that the folder holds already is replaced, its weights included; other files stay. What a fault leaves is the earlier package, or one that
    /// is refused because its files are not those that its manifest names, and is replaced by the next.
    /// </summary>
    /// <returns>The hash of the manifest, which names the package.</returns>
    public static ContentHash Write(ModelPackage package, string folder)
    {
        ArgumentNullException.ThrowIfNull(package);
        Directory.CreateDirectory(folder);
        byte[] manifest = package.Manifest.ToBytes();
        IReadOnlyList<PackageFile> earlier = WeightsIn(folder);

        // Large, and under a name that nothing else has: where the disk does not take them, the earlier package is still whole.
        foreach (PackageFile weights in package.Manifest.FrozenWeights)
        {
            WriteWeights(Path.Combine(folder, weights.Sha256), weights, package.FrozenWeights);
        }

        File.WriteAllBytes(Path.Combine(folder, GradientFile), package.GradientGraph);
        File.WriteAllBytes(Path.Combine(folder, EvaluationFile), package.EvaluationGraph);
        File.WriteAllBytes(Path.Combine(folder, ModelFile), package.ModelGraph);
        File.WriteAllBytes(Path.Combine(folder, AdapterFile), AdapterDocument.ToBytes(0, package.InitialAdapter));
        File.WriteAllBytes(Path.Combine(folder, ManifestFile), manifest);
        foreach (PackageFile weights in earlier.Except(package.Manifest.FrozenWeights))
        {
            File.Delete(Path.Combine(folder, weights.Sha256));
        }

        return ContentHash.Of(manifest);
    }

    /// <summary>Reads a package and verifies every file's hash.</summary>
    /// <exception cref="InvalidDataException">A file is missing or is not the one the manifest names.</exception>
    /// <exception cref="ProtocolViolationException">The manifest or the adapter cannot be read.</exception>
    public static ModelPackage Read(string folder)
    {
        string path = Path.Combine(folder, ManifestFile);
        if (!File.Exists(path))
        {
            throw new InvalidDataException($"'{folder}' holds no {ManifestFile}; a package is a folder that 'models import --out' writes.");
        }

        PackageManifest manifest = PackageManifest.FromBytes(File.ReadAllBytes(path));
        byte[] adapter = manifest.Adapter is null ? File.ReadAllBytes(Path.Combine(folder, AdapterFile)) : Verified(folder, AdapterFile, manifest.Adapter);
        float[] values = new float[manifest.Layout.Length];
        AdapterDocument.FromBytes(adapter, values.Length).CopyTo(values);
        return new ModelPackage(manifest, Verified(folder, GradientFile, manifest.Gradient), Verified(folder, EvaluationFile, manifest.Evaluation), values)
        {
            ModelGraph = manifest.Model is null ? [] : Verified(folder, ModelFile, manifest.Model),
            FrozenWeights = manifest.FrozenWeights.Count switch
            {
                0 => [],
                1 => Verified(folder, manifest.FrozenWeights[0].Sha256, manifest.FrozenWeights[0]),
                int count => throw new InvalidDataException($"The package has {count} files of frozen weights; 1 is supported."),
            },
        };
    }

    /// <summary>Leaves what is there already as it is, and nothing of what the disk does not take.</summary>
    private static void WriteWeights(string path, PackageFile weights, byte[] content)
    {
        if (File.Exists(path) && ContentHash.Of(File.ReadAllBytes(path)).Hex == weights.Sha256)
        {
            return;
        }

        try
        {
            File.WriteAllBytes(path, content);
        }
        catch (IOException)
        {
            File.Delete(path);
            throw;
        }
    }

    /// <summary>The frozen weights that a manifest in the folder names.</summary>
    private static IReadOnlyList<PackageFile> WeightsIn(string folder)
    {
        string path = Path.Combine(folder, ManifestFile);
        try
        {
            return File.Exists(path) ? PackageManifest.FromBytes(File.ReadAllBytes(path)).FrozenWeights : [];
        }
        catch (ProtocolViolationException)
        {
            // Of another version or damaged: what weights it had is not known.
            return [];
        }
    }

    private static byte[] Verified(string folder, string name, PackageFile expected)
    {
        string path = Path.Combine(folder, name);
        if (!File.Exists(path))
        {
            throw new InvalidDataException($"The package in '{folder}' lacks {name}. Import the model again.");
        }

        byte[] content = File.ReadAllBytes(path);
        return ContentHash.Of(content).Hex == expected.Sha256
            ? content
            : throw new InvalidDataException($"{name} in '{folder}' is not the file that {ManifestFile} names ({expected.Sha256}). Import the model again.");
    }
}
