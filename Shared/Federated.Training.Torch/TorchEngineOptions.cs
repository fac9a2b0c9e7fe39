namespace Federated.Training.Torch;

/// <summary>How the torch engine runs.</summary>
public sealed record TorchEngineOptions
{
    /// <summary>
    /// Threads inside one operator; at least 1, default 1: clients in parallel use the cores better than one client's operators. torch keeps
    /// this number for the whole process, so the model loaded last decides.
    /// </summary>
    public int Threads { get; init; } = 1;

    /// <summary>Where tensors live and are computed: <c>cpu</c> (default), <c>cuda</c> or <c>cuda:INDEX</c>.</summary>
    public string Device { get; init; } = "cpu";
}
