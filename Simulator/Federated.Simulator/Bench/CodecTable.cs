using System.Globalization;

namespace Federated.Simulator.Bench;

/// <summary>The runs of a comparison on one scenario as a table: a row for each way of sending updates, with several seeds mean and spread.</summary>
/// <param name="Title">Scenario, rounds, seeds and the two baselines.</param>
/// <param name="Rows">Cells in the order of <see cref="Columns"/>.</param>
internal sealed record CodecTable(string Title, IReadOnlyList<string[]> Rows)
{
    private const string Nothing = "–";

    /// <summary>The columns' names.</summary>
    public static string[] Columns { get; } =
        ["updates", "accuracy, %", "of dense's gain", "loss", "of dense's gain", "up, kB", "times under adapter", "under model", "down, kB", "abandoned"];

    /// <summary>Makes the table of at least one run, all on the same scenario.</summary>
    public static CodecTable Of(IReadOnlyList<CodecRun> runs)
    {
        CodecRun first = runs[0];
        string seeds = string.Join(", ", runs.Select(run => run.Seed).Distinct().Order());
        return new CodecTable(
            FormattableString.Invariant(
                $"{first.Scenario}: {first.Rounds} rounds, seeds {seeds}; float32 adapter {first.AdapterBytes / 1e3:F1} kB, float32 model {first.ModelBytes / 1e3:F1} kB"),
            [.. runs.GroupBy(run => run.Codec).Select(codec => RowOf([.. codec], runs))]);
    }

    private static string[] RowOf(CodecRun[] codec, IReadOnlyList<CodecRun> all)
    {
        double up = codec.Average(run => run.BytesUp);
        return
        [
            codec[0].Codec,
            Spread(codec.Select(run => 100 * run.Accuracy), "F2"),
            Gain(codec, all, run => run.Accuracy, run => run.InitialAccuracy),
            Spread(codec.Select(run => run.Loss), "F4"),
            Gain(codec, all, run => -run.Loss, run => -run.InitialLoss),
            Number(up / 1e3, "F2"),
            Number(codec[0].AdapterBytes / up, "F0"),
            Number(codec[0].ModelBytes / up, "F0"),
            Number(codec.Average(run => run.BytesDown) / 1e3, "F1"),
            codec.Sum(run => run.AbandonedRounds).ToString(CultureInfo.InvariantCulture),
        ];
    }

    /// <summary>
    /// How far a value, the more the better, has risen as a share of how far it rose with dense updates and the same seed; mean over the seeds, a dash where it did not
    /// rise with dense ones.
    /// </summary>
    private static string Gain(CodecRun[] codec, IReadOnlyList<CodecRun> all, Func<CodecRun, double?> end, Func<CodecRun, double?> start)
    {
        double?[] shares = [.. codec.Select(run =>
        {
            // The model before training is the same whatever way its updates will take.
            CodecRun[] same = [.. all.Where(other => other.Seed == run.Seed)];
            double? initial = same.Select(start).FirstOrDefault(value => value is not null);
            double? dense = same.Where(other => other.Codec == CodecComparison.Dense).Select(end).FirstOrDefault();
            return dense > initial ? (end(run) - initial) / (dense - initial) : null;
        })];
        return shares.Any(share => share is not { } number || !double.IsFinite(number)) ? Nothing
            : shares.Average() is { } mean and >= 0 ? $"{Number(100 * mean, "F0")} %" : "worse than before";
    }

    // Mean ± half the distance between least and greatest; a dash when a run failed or its value is no number.
    private static string Spread(IEnumerable<double?> values, string format)
    {
        double?[] all = [.. values];
        if (all.Any(value => value is null))
        {
            return Nothing;
        }

        double[] numbers = [.. all.Select(value => value!.Value)];
        string mean = Number(numbers.Average(), format);
        return numbers.Length == 1 ? mean : $"{mean} ± {Number((numbers.Max() - numbers.Min()) / 2, format)}";
    }

    private static string Number(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
