using Federated.Server.Jobs;

namespace Federated.Simulator.Runs;

/// <summary>A job's model in a few words.</summary>
internal static class ModelWording
{
    /// <summary>For example <c>mlp 784-200-200-10</c>.</summary>
    public static string Of(JobModel model)
    {
        string builder = model.Builder.ToString().ToLowerInvariant();
        return model.Builder switch
        {
            JobModelBuilder.Mlp => $"{builder} {string.Join('-', [model.Inputs ?? 784, .. model.Hidden ?? [200, 200], model.Classes ?? 10])}",
            JobModelBuilder.Cnn =>
                $"{builder} with {string.Join(" and ", model.Channels ?? [32, 64])} filters, dense {string.Join('-', [.. model.Hidden ?? [512], model.Classes ?? 10])}",
            _ => $"{builder} of {model.Parameters ?? 0:N0} parameters",
        };
    }
}
