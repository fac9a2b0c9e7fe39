using Federated.Shared.Models;
using Federated.Training;

namespace Federated.Client.Engines;

/// <summary>What a client trains with. Immutable; thread-safe.</summary>
public interface ITrainingEngine
{
    /// <summary>Its name on the command line and in the server's statistics.</summary>
    string Name { get; }

    /// <summary>The graph of a package that it runs for a use: the only one that is fetched.</summary>
    PackageFile GraphOf(PackageManifest manifest, ModelUse use);

    /// <summary>Loads the graph, ready to train.</summary>
    /// <param name="manifest">The package.</param>
    /// <param name="use">What it is to do.</param>
    /// <param name="graph">The file that <see cref="GraphOf"/> names; with the frozen weights beside it if the package has such.</param>
    /// <exception cref="InvalidDataException">The engine cannot run the graph.</exception>
    ITrainableModel Load(PackageManifest manifest, ModelUse use, GraphSource graph);
}
