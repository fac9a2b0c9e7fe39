using Federated.Server.Rounds;

namespace Federated.Server.Dashboard;

/// <summary>Says in sentences why a round took as long as it did.</summary>
internal static class SlownessText
{
    private const int MostNamed = 3;

    /// <summary>The sentences, the most important first.</summary>
    public static IReadOnlyList<string> Of(RoundDiagnosis round)
    {
        List<string> says =
        [
            $"{PhaseName(round.Phase)} took {Units.Seconds(round.PhaseSeconds)} of {Units.Seconds(round.TotalSeconds)} ({Units.Percent(round.TotalSeconds > 0 ? round.PhaseSeconds / round.TotalSeconds : null)}).",
        ];
        if (round.Slow.Count > 0)
        {
            if (round.TypicalEndSeconds is { } typical)
            {
                says.Add($"The median device was done after {Units.Seconds(typical)}; the round went on for {Units.Seconds(round.WaitedSeconds)} more.");
            }

            says.AddRange(round.Slow.Take(MostNamed).Select(Of));
            if (round.Slow.Count > MostNamed)
            {
                says.Add($"{round.Slow.Count - MostNamed} more devices held it up as long: {Words.Join([.. round.Slow.Skip(MostNamed).Select(client => client.DeviceId)], 5)}.");
            }
        }
        else
        {
            says.Add(round.Phase switch
            {
                RoundPart.Collect => "No device held it up: they all took about as long.",
                RoundPart.Select => "It waited for enough devices to check in.",
                RoundPart.Commit => "Adding up, the server optimizer and the checkpoint took longer than the devices did.",
                _ => "Evaluating the model took longer than the devices did: evaluate fewer examples, or not every round.",
            });
        }

        return says;
    }

    /// <summary>What a device did.</summary>
    public static string PhaseName(ClientPhase phase) => phase switch
    {
        ClientPhase.Download => "downloading",
        ClientPhase.Train => "training",
        ClientPhase.Upload => "uploading",
        ClientPhase.Encode => "encoding",
        ClientPhase.Other => "waiting",
        ClientPhase.TrainAndWait => "training and waiting",
        _ => "silence",
    };

    private static string Of(SlowClient client) => client.Phase == ClientPhase.Silence
        ? $"{client.DeviceId} had the plan for {Units.Seconds(client.PhaseSeconds)} and sent nothing."
        : $"{client.DeviceId} was done {Units.Seconds(client.CostSeconds)} after it: {PhaseName(client.Phase)} took {Units.Seconds(client.PhaseSeconds)}, on the median device {Units.Seconds(client.TypicalSeconds)}.";

    private static string PhaseName(RoundPart phase) => phase switch
    {
        RoundPart.Select => "Waiting for a cohort",
        RoundPart.Collect => "Collecting updates",
        RoundPart.Commit => "Committing the model",
        _ => "Evaluating the model",
    };
}
