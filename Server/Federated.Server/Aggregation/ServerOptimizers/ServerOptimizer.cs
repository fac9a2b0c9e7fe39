namespace Federated.Server.Aggregation.ServerOptimizers;

/// <summary>Makes the optimizer a job asks for.</summary>
internal static class ServerOptimizer
{
    /// <summary>The optimizer of these settings.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The kind is none of the enumeration.</exception>
    public static IServerOptimizer Create(ServerOptimizerSettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        float rate = (float)settings.LearningRate;
        float beta1 = (float)settings.Beta1;
        float beta2 = (float)settings.Beta2;
        float tau = (float)settings.Tau;
        return settings.Optimizer switch
        {
            ServerOptimizerKind.FedAvg => new FedAvg(rate),
            ServerOptimizerKind.FedAvgM => new FedAvgM(rate, (float)settings.Momentum),
            ServerOptimizerKind.FedAdagrad => new FedAdagrad(rate, beta1, tau),
            ServerOptimizerKind.FedAdam => new FedAdam(rate, beta1, beta2, tau),
            ServerOptimizerKind.FedYogi => new FedYogi(rate, beta1, beta2, tau),
            _ => throw new ArgumentOutOfRangeException(nameof(settings), settings.Optimizer, "No such server optimizer."),
        };
    }

    /// <summary>Fresh slots for a model of P parameters.</summary>
    public static float[][] CreateSlots(this IServerOptimizer optimizer, int parameterCount)
    {
        float[][] slots = new float[optimizer.SlotCount][];
        for (int i = 0; i < slots.Length; i++)
        {
            slots[i] = new float[parameterCount];
            slots[i].AsSpan().Fill(optimizer.InitialSlotValue(i));
        }

        return slots;
    }

    /// <summary>Demands that update and slots fit the adapter.</summary>
    /// <exception cref="ArgumentException">They do not.</exception>
    internal static void CheckShapes(IServerOptimizer optimizer, int adapter, int meanUpdate, IReadOnlyList<float[]> slots)
    {
        ArgumentNullException.ThrowIfNull(slots);
        if (meanUpdate != adapter || slots.Count != optimizer.SlotCount || slots.Any(slot => slot.Length != adapter))
        {
            throw new ArgumentException(
                $"{optimizer.Name} on {adapter} parameters takes an update of {adapter} and {optimizer.SlotCount} slots of {adapter}; given are {meanUpdate} and slots of [{string.Join(", ", slots.Select(slot => slot.Length))}].",
                nameof(slots));
        }
    }
}
