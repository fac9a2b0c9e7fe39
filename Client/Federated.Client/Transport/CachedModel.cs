using Federated.Shared.Models;
using Federated.Training;

namespace Federated.Client.Transport;

/// <summary>A model package ready to train.</summary>
/// <param name="Manifest">Its manifest.</param>
/// <param name="Workspaces">
/// Where it is trained; null for a bare vector (one parameter and a gradient graph of length 0), which is returned unchanged.
/// </param>
public sealed record CachedModel(PackageManifest Manifest, WorkspacePool? Workspaces);
