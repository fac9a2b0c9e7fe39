using Federated.Shared.Protocol;

namespace Federated.Shared.Models;

/// <summary>What a manifest must fulfil beyond being well-formed JSON.</summary>
internal static class ManifestRules
{
    /// <summary>What makes the manifest one of no model, or null.</summary>
    /// <exception cref="ArgumentException">A parameter's name or shape is impossible.</exception>
    /// <exception cref="OverflowException">A product of dimensions is beyond 2^31−1.</exception>
    public static string? FindProblem(PackageManifest manifest) =>
        TaskProblem(manifest) ?? LabelsProblem(manifest) ?? ParametersProblem(manifest) ?? LoraProblem(manifest) ?? FilesProblem(manifest);

    private static string? TaskProblem(PackageManifest manifest)
    {
        if (!Enum.IsDefined(manifest.Task))
        {
            return $"task {(int)manifest.Task} is unknown";
        }

        if (manifest.Inputs.Count != 1)
        {
            return $"it has {manifest.Inputs.Count} inputs; this software takes exactly 1";
        }

        PackageInput input = manifest.Input;
        if (!Enum.IsDefined(input.ElementType))
        {
            return $"the input's elementType {(int)input.ElementType} is unknown";
        }

        return input.Name.Length == 0 || input.Name == PackageManifest.LabelsInput || input.Shape.Any(d => d < 1) || manifest.FeatureLength < 1
            ? $"the input is '{input.Name}' with shape [{string.Join(", ", input.Shape)}]; it has a name of its own and every dimension is at least 1"
            : null;
    }

    private static string? LabelsProblem(PackageManifest manifest)
    {
        PackageLabels labels = manifest.Labels;
        if (!Enum.IsDefined(labels.ElementType) || labels.Shape.Any(d => d < 1) || manifest.LabelLength < 1)
        {
            return $"the labels have shape [{string.Join(", ", labels.Shape)}] of {labels.ElementType}; every dimension is at least 1";
        }

        bool classes = manifest.Task is ModelTask.Classification or ModelTask.CausalLm;
        if (classes != (labels.ElementType == ElementType.Int64) || classes != labels.Classes is not null || labels.Classes < 1)
        {
            return $"labels of {labels.ElementType} with {labels.Classes?.ToString() ?? "no"} classes do not belong to task {manifest.Task}: classification and causal-lm take "
                + "int64 and at least 1 class, the others float32 and no classes";
        }

        return null;
    }

    private static string? ParametersProblem(PackageManifest manifest) =>
        manifest.Layout.Length is < 1 or > ProtocolLimits.MaxParameters || manifest.FullModelParameters < 1
            ? $"{manifest.Layout.Length} trainable parameters beside a model of {manifest.FullModelParameters}: allowed are 1 to {ProtocolLimits.MaxParameters} trainable, "
                + "and a model has at least 1"
            : manifest.Parameters.Any(p => p.Name == manifest.Input.Name || p.Name == PackageManifest.LabelsInput)
                ? $"a parameter has the name of the features or the labels"
                : null;

    private static string? LoraProblem(PackageManifest manifest)
    {
        foreach (PackageParameter parameter in manifest.Parameters)
        {
            if (parameter.Lora is not { } lora)
            {
                continue;
            }

            int rankAxis = lora.Factor == LoraMatrix.A ? 0 : 1;
            bool fits = Enum.IsDefined(lora.Factor) && lora.Target.Length > 0 && parameter.Shape.Count >= 2
                && (lora.Factor == LoraMatrix.Base || parameter.Shape[rankAxis] == lora.Rank);
            if (!fits || !double.IsFinite(lora.Scale) || lora.Scale <= 0)
            {
                return $"parameter '{parameter.Name}' of shape [{string.Join(", ", parameter.Shape)}] cannot be factor {lora.Factor} of rank {lora.Rank} "
                    + $"and scale {lora.Scale} of '{lora.Target}': A is [rank, …], B is [outputs, rank, …], the scale is above 0";
            }
        }

        bool paired = manifest.Parameters.Where(p => p.Lora is not null).GroupBy(p => p.Lora!.Target, StringComparer.Ordinal).All(IsPair);
        return paired ? null : "a layer's low-rank change has other factors than one A and one B of the same rank and scale";
    }

    private static bool IsPair(IEnumerable<PackageParameter> layer)
    {
        LoraFactor[] factors = [.. layer.Select(p => p.Lora!)];
        bool oneEach = factors.Count(f => f.Factor == LoraMatrix.A) == 1 && factors.Count(f => f.Factor == LoraMatrix.B) == 1
            && factors.Count(f => f.Factor == LoraMatrix.Base) <= 1;
        return oneEach && factors.All(f => f.Rank == factors[0].Rank && f.Scale == factors[0].Scale);
    }

    private static string? FilesProblem(PackageManifest manifest)
    {
        IEnumerable<PackageFile?> files = [.. manifest.FrozenWeights, manifest.Gradient, manifest.Evaluation, manifest.Model, manifest.Adapter];
        PackageFile? broken = files.OfType<PackageFile>().FirstOrDefault(file => file.LengthBytes < 0 || !ContentHash.TryParse(file.Sha256, out _));
        return broken is null ? null : $"a file of {broken.LengthBytes} bytes has no negative length and is named by a SHA-256";
    }
}
