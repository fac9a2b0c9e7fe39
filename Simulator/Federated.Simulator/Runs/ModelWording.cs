using Federated.Server.Jobs;

namespace Federated.Simulator.Runs;

/// <summary>A job's model in a few words.</summary>
internal static class ModelWording
{
    /// <summary>For example <c>mlp 784-200-200-10</c>.</summary>
    public static string Of(JobModel model)
    {
        string builder = $"{model.Builder}".ToLowerInvariant();
        string adapted = model.Lora is { } lora ? $", low-rank changes of rank {lora.Rank} on {lora.Targets}" : "";
        return model.Builder switch
        {
            null => $"package {model.Package}",
            JobModelBuilder.Mlp => $"{builder} {string.Join('-', [model.Inputs ?? 784, .. model.Hidden ?? [200, 200], model.Classes ?? 10])}{adapted}",
            JobModelBuilder.Cnn =>
                $"{builder} with {string.Join(" and ", model.Channels ?? [32, 64])} filters, dense {string.Join('-', [.. model.Hidden ?? [512], model.Classes ?? 10])}{adapted}",
            JobModelBuilder.Gpt when (model.Gpt ?? new JobModelGpt()) is var gpt =>
                $"{builder} of {gpt.Layers} layers, width {gpt.Width}, context {gpt.Context}{adapted}",
            JobModelBuilder.Vit when (model.Vit ?? new JobModelVit()) is var vit => $"{builder} of {vit.Layers} layers, width {vit.Width}, patches of {vit.Patch}{adapted}",
            _ => $"{builder} of {model.Parameters ?? 0:N0} parameters",
        };
    }
}
