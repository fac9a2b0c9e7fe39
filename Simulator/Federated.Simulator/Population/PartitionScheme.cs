namespace Federated.Simulator.Population;

/// <summary>How the examples are dealt to the devices.</summary>
internal enum PartitionScheme
{
    /// <summary>Shuffled and dealt evenly.</summary>
    Iid,

    /// <summary>Sorted by label, cut into shards, a few shards a device.</summary>
    Shards,

    /// <summary>Label proportions of each device drawn from a Dirichlet distribution.</summary>
    Dirichlet,

    /// <summary>As the data are: each author of a corpus is a device.</summary>
    Natural,
}
