using System.Collections.Immutable;
using Federated.Shared.Models;
using Federated.Shared.Protocol;
using Federated.Shared.Protos;
using Federated.Training;

namespace Federated.Client.Session;

/// <summary>What a plan's <see cref="ParameterPlan"/> means for a package: which elements of the flat adapter are trained, sent and kept.</summary>
internal sealed class RoundTensors
{
    private readonly LoraLayout _layout;
    private readonly int _rank;

    private RoundTensors(LoraLayout layout, ParameterPlan plan)
    {
        _layout = layout;
        _rank = plan.Rank;
        Sent = ParameterSelection.Of(layout, plan.Roles, ParameterRole.Sent, plan.Rank);
        Kept = ParameterSelection.Of(layout, plan.Roles, ParameterRole.Kept, plan.Rank);
        Trained = TrainedRange.Of(layout.Parameters, plan.Roles);
    }

    /// <summary>What the update holds.</summary>
    public ParameterSelection Sent { get; }

    /// <summary>What stays on the device.</summary>
    public ParameterSelection Kept { get; }

    /// <summary>What training steps.</summary>
    public ImmutableArray<TrainedRange> Trained { get; }

    /// <summary>Reads a plan against the package's layout; null when the plan speaks of everything.</summary>
    /// <exception cref="RoundAbortException">They do not fit each other.</exception>
    public static RoundTensors? Of(PackageManifest manifest, PlanDocument plan)
    {
        if (plan.Parameters is not { } parameters)
        {
            return null;
        }

        if (parameters.Roles.Length != manifest.Parameters.Count)
        {
            throw new RoundAbortException(
                AbortReason.UnsupportedPlan,
                $"The plan speaks of {parameters.Roles.Length} tensors, package '{manifest.Name}' has {manifest.Parameters.Count}.");
        }

        RoundTensors tensors = new(LoraLayout.Of(manifest), parameters);
        return tensors.Sent.Length == parameters.SentCount
            ? tensors
            : throw new RoundAbortException(
                AbortReason.UnsupportedPlan,
                $"The plan states an update of {parameters.SentCount} parameters, its roles and rank {parameters.Rank} give {tensors.Sent.Length}.");
    }

    /// <summary>Cuts the round's adapter to the client's rank and puts the kept tensors in.</summary>
    public void Prepare(Span<float> adapter, string jobId, IKeptTensors store)
    {
        if (_rank > 0)
        {
            _layout.Truncate(adapter, _rank);
        }

        float[] kept = new float[Kept.Length];
        if (Kept.Length > 0 && store.TryRead(jobId, kept))
        {
            Kept.Scatter(kept, adapter);
        }
    }

    /// <summary>Copies the kept tensors out of the trained adapter; null when there are none.</summary>
    public float[]? TakeKept(ReadOnlySpan<float> trained)
    {
        if (Kept.Length == 0)
        {
            return null;
        }

        float[] kept = new float[Kept.Length];
        Kept.Gather(trained, kept);
        return kept;
    }
}
