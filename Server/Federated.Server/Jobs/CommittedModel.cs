using Federated.Shared.Models;
using Federated.Shared.Updates.Linear;

namespace Federated.Server.Jobs;

/// <summary>A version of a job's model.</summary>
/// <param name="Version">From 0.</param>
/// <param name="Adapter">Hash of its adapter document.</param>
/// <param name="AdapterLengthBytes">Length of that document.</param>
public sealed record CommittedModel(long Version, ContentHash Adapter, long AdapterLengthBytes);

/// <summary>A commit and what it changed.</summary>
/// <param name="Model">The new version.</param>
/// <param name="UpdateNorm">L2 norm of the weighted mean update.</param>
/// <param name="AveragingBias">What the record says of it; null where it was not asked for or cannot arise.</param>
/// <param name="Statistics">What rode in the vector; null without the linear codec.</param>
internal sealed record ModelCommit(CommittedModel Model, double UpdateNorm, double? AveragingBias, LinearStatistics? Statistics);
