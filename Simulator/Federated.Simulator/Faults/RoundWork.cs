using Federated.Shared.Protocol;

namespace Federated.Simulator.Faults;

/// <summary>What a round asks of one device.</summary>
/// <param name="BytesDown">Bytes of the adapter it downloads.</param>
/// <param name="Examples">Examples it steps over, epochs counted.</param>
/// <param name="BytesUp">Bytes of the update it uploads, as its encoding writes them: of a sparse one, whose length depends on its content, the most.</param>
internal readonly record struct RoundWork(double BytesDown, double Examples, double BytesUp)
{
    /// <summary>What a plan asks of a device with so many examples.</summary>
    public static RoundWork Of(PlanDocument plan, int examples)
    {
        LocalTrainingPlan training = plan.Training;
        long steppedOver = (long)training.Epochs * examples;
        if (training.MaxSteps > 0)
        {
            int batch = training.BatchSize == 0 ? examples : training.BatchSize;
            steppedOver = Math.Min(steppedOver, (long)training.MaxSteps * batch);
        }

        long sent = plan.Linear?.PackedBytes ?? plan.Codec?.MaxLengthBytes(plan.SentCount) ?? (long)plan.SentCount * sizeof(float);
        return new RoundWork(plan.AdapterLengthBytes, steppedOver, sent);
    }
}
