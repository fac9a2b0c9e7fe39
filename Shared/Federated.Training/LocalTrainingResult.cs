namespace Federated.Training;

/// <summary>What local training gave beside the adapter, which stays in the workspace.</summary>
/// <param name="Steps">Optimizer steps taken.</param>
/// <param name="Examples">Examples of the source; the update's weight.</param>
/// <param name="MeanLoss">Mean of the steps' losses, each before its step; not finite when training diverged.</param>
public sealed record LocalTrainingResult(int Steps, int Examples, double MeanLoss)
{
    /// <summary>Whether the loss ceased to be a finite number: such an adapter is not worth uploading.</summary>
    public bool Diverged => !double.IsFinite(MeanLoss);
}
