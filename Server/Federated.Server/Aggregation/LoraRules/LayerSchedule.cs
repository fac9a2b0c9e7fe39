using System.Collections.Immutable;
using System.Text.RegularExpressions;
using Federated.Shared.Models;

namespace Federated.Server.Aggregation.LoraRules;

/// <summary>
/// Progressive depth: the blocks of a model take part from its output backwards, one more every so many rounds, so that early rounds send and train little
/// (Cai et al. 2023, "Efficient Federated Learning for Modern NLP", arXiv 2205.10162, section 3). Deviation: the pace is a setting, where the paper tries
/// configurations while it trains. Immutable; thread-safe.
/// </summary>
internal sealed partial class LayerSchedule
{
    private readonly ImmutableArray<int?> _depths;
    private readonly LayerPace _pace;

    /// <summary>The schedule of a package.</summary>
    /// <param name="layout">Its adapter; a block is what names have in common up to their first number, such as <c>model.layers.3</c> or <c>dense2</c>.</param>
    /// <param name="pace">How fast.</param>
    public LayerSchedule(LoraLayout layout, LayerPace pace)
    {
        _pace = pace;
        string?[] blocks = [.. layout.Parameters.Parameters.Select(p => Block().Match(p.Name) is { Success: true } block ? block.Value : null)];

        // Factors stand in the order of the graph, weights that are trained as a whole behind them and in no order of use: where there are factors, theirs are the
        // blocks that wait.
        HashSet<string> adapted = [.. blocks.Where((block, i) => block is not null && layout.Factors[i] is not null).Select(block => Prefix(block!))];
        if (adapted.Count > 0)
        {
            blocks = [.. blocks.Select(block => block is not null && adapted.Contains(Prefix(block)) ? block : null)];
        }

        // Parts of a model in the order in which the layout has them; the blocks of one by their number.
        string[] named = [.. blocks.OfType<string>().Distinct(StringComparer.Ordinal)];
        string[] parts = [.. named.Select(Prefix).Distinct(StringComparer.Ordinal)];
        string[] order = [.. named.OrderBy(block => Array.IndexOf(parts, Prefix(block))).ThenBy(Number)];
        Blocks = order.Length;
        _depths = [.. blocks.Select(block => block is null ? (int?)null : order.Length - Array.IndexOf(order, block))];
    }

    /// <summary>Number of blocks; below 2 there is nothing to schedule.</summary>
    public int Blocks { get; }

    /// <summary>Blocks from the output that take part in a round.</summary>
    /// <param name="round">From 1.</param>
    public int DepthIn(long round) => (int)Math.Min(Blocks, _pace.Start + ((round - 1) / _pace.EveryRounds));

    /// <summary>A rule's roles, with the tensors of blocks that are not yet due frozen. What belongs to no block always takes part.</summary>
    public ImmutableArray<ParameterRole> Apply(ImmutableArray<ParameterRole> roles, long round)
    {
        int depth = DepthIn(round);
        return depth == Blocks ? roles : [.. roles.Select((role, i) => _depths[i] > depth ? ParameterRole.Frozen : role)];
    }

    private static string Prefix(string block) => block.TrimEnd('0', '1', '2', '3', '4', '5', '6', '7', '8', '9');

    private static long Number(string block) => long.Parse(block.AsSpan(Prefix(block).Length), System.Globalization.CultureInfo.InvariantCulture);

    [GeneratedRegex("^[^0-9]*[0-9]{1,9}")]
    private static partial Regex Block();
}

/// <summary>How fast a model's blocks come to take part.</summary>
/// <param name="Start">Blocks from the output that take part in the first round; at least 1.</param>
/// <param name="EveryRounds">After so many rounds one more takes part; at least 1.</param>
internal readonly record struct LayerPace(int Start, int EveryRounds);
