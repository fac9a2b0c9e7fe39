using Federated.Client.Session;
using Federated.Shared.Protocol;

namespace Federated.Simulator.Faults;

/// <summary>What the plan of a round asks of one device.</summary>
/// <param name="BytesDown">Bytes of the adapter that it downloads, or of what leads to it, and of the round's index set where that is told.</param>
/// <param name="Examples">Examples it steps over, epochs counted.</param>
/// <param name="BytesUp">Bytes of the update it uploads, as its encoding writes them: of a sparse one, whose length depends on its content, the most.</param>
internal readonly record struct PlannedWork(double BytesDown, double Examples, double BytesUp)
{
    /// <summary>What a plan asks of a device.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="examples">Examples it has.</param>
    /// <param name="held">The adapter it holds of an earlier round, from which a shorter download may lead; null for none.</param>
    public static PlannedWork Of(PlanDocument plan, int examples, HeldAdapter? held = null)
    {
        LocalTrainingPlan training = plan.Training;
        long steppedOver = (long)training.Epochs * examples;
        if (training.MaxSteps > 0)
        {
            int batch = training.BatchSize == 0 ? examples : training.BatchSize;
            steppedOver = Math.Min(steppedOver, (long)training.MaxSteps * batch);
        }

        long sent = plan.Linear?.PackedBytes ?? plan.Codec?.MaxLengthBytes(plan.SentCount) ?? (long)plan.SentCount * sizeof(float);
        long received = AdapterCosts.Of(plan, held).Least + (plan.Linear?.Set?.LengthBytes ?? 0);
        return new PlannedWork(received, steppedOver, sent);
    }
}
