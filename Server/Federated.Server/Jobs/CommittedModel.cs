using Federated.Shared.Models;
using Federated.Shared.Updates.Linear;

namespace Federated.Server.Jobs;

/// <summary>A version of a job's model.</summary>
/// <param name="Version">From 0.</param>
/// <param name="Adapter">Hash of its adapter document.</param>
/// <param name="AdapterLengthBytes">Length of that document.</param>
public sealed record CommittedModel(long Version, ContentHash Adapter, long AdapterLengthBytes);

/// <summary>A document that turns a version into the next one, in the store.</summary>
/// <param name="Version">The version it leads to.</param>
/// <param name="Document">What it is.</param>
/// <param name="Seed">Seeds the index set it is of; null when it names its parameters.</param>
/// <param name="SetSize">Size of that set; 0 without one.</param>
internal sealed record CommittedChange(long Version, ObjectReference Document, ulong? Seed, int SetSize);

/// <summary>A commit and what it changed.</summary>
/// <param name="Model">The new version.</param>
/// <param name="Change">What leads to it under the compact downlink; null without.</param>
/// <param name="Rounded">The new version in 8 bits; null when it is not offered.</param>
/// <param name="UpdateNorm">L2 norm of the weighted mean update.</param>
/// <param name="AveragingBias">What the record says of it; null where it was not asked for or cannot arise.</param>
/// <param name="Statistics">What rode in the vector; null without the linear codec.</param>
internal sealed record ModelCommit(
    CommittedModel Model, CommittedChange? Change, ObjectReference? Rounded, double UpdateNorm, double? AveragingBias, LinearStatistics? Statistics);
