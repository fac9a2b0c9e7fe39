using Spectre.Console;

namespace Federated.Simulator.Bench.Groups;

/// <summary>What secure aggregation costs on this machine.</summary>
/// <param name="Rates">The machine's rates, one core.</param>
/// <param name="Groups">The groups.</param>
internal sealed record GroupFigures(MachineRates Rates, IReadOnlyList<GroupCost> Groups);

/// <summary>Which groups of the table are measured.</summary>
/// <param name="Quick">Groups of 10 and 50 with 10 k and 100 k fields alone.</param>
/// <param name="Members">These sizes alone; all when empty.</param>
/// <param name="Fields">These lengths alone; all when empty.</param>
internal readonly record struct GroupChoice(bool Quick, int[] Members, int[] Fields)
{
    /// <summary>Whether a group of the table is among them.</summary>
    public bool Includes(GroupShape shape) =>
        (Members.Length == 0 || Members.Contains(shape.Members)) && (Fields.Length == 0 || Fields.Contains(shape.Fields));
}

/// <summary>Measures groups of all sizes. Groups of up to 100 are run whole and their sums checked; larger ones are sampled.</summary>
internal static class GroupBench
{
    private const int LargestWhole = 100;
    private const int WarmUps = 10;
    private const int MaxRuns = 10;
    private const double MinSeconds = 2;
    private const int WidthBits = 16;
    private const int LargeWidthBits = 20;
    private const int ManyDropouts = 330;
    private const int FewDropouts = 100;

    private static readonly int[] _dropouts = [0, 5, 30];
    private static readonly int[] _moreDropouts = [0, 5, 10, 30];

    /// <summary>What of a choice the table does not have, in words; null when it has all of it.</summary>
    public static string? Problem(GroupChoice choice)
    {
        GroupShape[] shapes = [.. Shapes(choice.Quick)];
        return Missing("--members", choice.Members, shapes.Select(shape => shape.Members))
            ?? Missing("--fields", choice.Fields, shapes.Select(shape => shape.Fields));

        string? Missing(string option, int[] chosen, IEnumerable<int> known) => chosen.Except(known).ToArray() is [int wrong, ..]
            ? $"{option} {wrong}: it is {string.Join(", ", known.Distinct())}{(choice.Quick ? " with --quick" : "")}."
            : null;
    }

    /// <summary>Measures the whole table, or what is chosen of it.</summary>
    public static GroupFigures Measure(GroupChoice choice, CancellationToken ct)
    {
        MachineRates rates = MachineRates.Measure();
        GroupShape[] shapes = [.. Shapes(choice.Quick).Where(choice.Includes)];
        using EnrolledMembers enrolled = new(Math.Max(10, shapes.Select(shape => shape.Members).DefaultIfEmpty(0).Max()));

        // Just-in-time compilation is no cost of the protocol.
        for (int i = 0; i < WarmUps; i++)
        {
            WholeGroup.Measure(new GroupShape(10, 50_000, WidthBits, 10), enrolled, rates);
        }

        List<GroupCost> groups = [];
        foreach (GroupShape shape in shapes)
        {
            ct.ThrowIfCancellationRequested();
            groups.Add(shape.Members <= LargestWhole ? BestWhole(shape, enrolled, rates) : SampledGroup.Measure(shape, enrolled, rates));
            Console.Error.WriteLine($"measured {shape.Members} members, {shape.Fields:N0} fields, {shape.DropoutPercent} % dropping out");
        }

        return new GroupFigures(rates, groups);
    }

    /// <summary>Prints the table.</summary>
    public static void Print(GroupFigures figures)
    {
        MachineRates rates = figures.Rates;
        Table machine = NewTable("one core", "");
        machine.AddRow("AES-256 in counter mode", $"{rates.AesGigabytesPerSecond:F1} GB/s");
        machine.AddRow("16-bit lanes added", $"{rates.AddGigabytesPerSecond:F1} GB/s");
        machine.AddRow(
            "masks expanded and added, 1 M fields of 16 bits",
            $"{rates.MaskGigabytesPerSecond:F1} GB/s ({rates.MaskGigabytesPerSecond / rates.AesGigabytesPerSecond:P0} of AES)");
        machine.AddRow("P-256 key read in and agreed with", $"{rates.AgreementsPerSecond:N0}/s");
        machine.AddRow("ECDSA P-256 verified", $"{rates.VerificationsPerSecond:N0}/s");
        machine.AddRow("P-256 key pair drawn", $"{rates.KeysPerSecond:N0}/s");
        AnsiConsole.Write(machine);

        Table table = NewTable(
            "n",
            "neighbours",
            "fields",
            "bits",
            "drop-out",
            "client CPU, ms",
            "× bound",
            "server CPU, ms",
            "× bound",
            "up, B",
            "down, B",
            "payload, B",
            "together, s");
        foreach (GroupCost cost in figures.Groups)
        {
            table.AddRow(
                $"{cost.Members}",
                $"{cost.Neighbours}",
                $"{cost.Fields:N0}",
                $"{cost.WidthBits}",
                $"{cost.DropoutPercent} %",
                $"{cost.ClientCpuMilliseconds:F1}",
                $"{cost.ClientRatio:F1}",
                $"{cost.ServerCpuMilliseconds:F0}",
                $"{cost.ServerRatio:F1}",
                $"{cost.UpBytes:N0}",
                $"{cost.DownBytes:N0}",
                $"{cost.PayloadBytes:N0}",
                cost.TogetherSeconds > 0 ? $"{cost.TogetherSeconds:F2}" : "");
        }

        AnsiConsole.Write(table);
    }

    // The fastest of at least two runs, more where they are short: what else the machine does can only add.
    private static GroupCost BestWhole(GroupShape shape, EnrolledMembers enrolled, MachineRates rates)
    {
        List<GroupCost> runs = [];
        while (runs.Count < 2 || (runs.Count < MaxRuns && runs.Sum(run => run.TogetherSeconds) < MinSeconds))
        {
            runs.Add(WholeGroup.Measure(shape, enrolled, rates));
        }

        return runs.MinBy(run => run.TogetherSeconds)!;
    }

    // Complete groups up to the largest that is run whole, then neighbour graphs; and, for comparison, graphs for few drop-outs in small groups.
    private static IEnumerable<GroupShape> Shapes(bool quick)
    {
        int[] members = quick ? [10, 50] : [10, 50, 100, 500, 1_000];
        int[] fields = quick ? [10_000, 100_000] : [10_000, 100_000, 1_000_000];
        IEnumerable<GroupShape> table =
            from n in members
            from length in fields
            from dropout in n == 1_000 && length == 100_000 ? _moreDropouts : _dropouts
            select n > LargestWhole ? new GroupShape(n, length, LargeWidthBits, dropout, ManyDropouts) : new GroupShape(n, length, WidthBits, dropout);
        IEnumerable<GroupShape> sparse =
            from n in members.Where(n => n is > 10 and <= LargestWhole)
            from length in fields
            select new GroupShape(n, length, WidthBits, 5, FewDropouts);
        return table.Concat(sparse);
    }

    private static Table NewTable(params string[] columns) => new Table().Border(TableBorder.Rounded).AddColumns(columns);
}
