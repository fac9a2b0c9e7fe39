namespace Federated.Client.Engines;

/// <summary>What a round asks of a package, which decides the graph that is fetched and loaded.</summary>
public enum ModelUse
{
    /// <summary>Losses and their gradients.</summary>
    Gradients,

    /// <summary>Losses alone: the memory of inference.</summary>
    Losses,
}
