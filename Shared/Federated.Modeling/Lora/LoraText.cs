using System.Globalization;
using System.Text.RegularExpressions;
using Federated.Shared.Models;

namespace Federated.Modeling.Lora;

/// <summary>Reads <c>rank=8,alpha=16,targets=REGEX,seed=1</c> as a person types it.</summary>
public static partial class LoraText
{
    /// <summary>Reads the settings. <c>alpha</c> is twice the rank when left out, <c>targets</c> everything, <c>seed</c> 1. The expression may hold commas.</summary>
    /// <exception cref="FormatException">A key is unknown or stated twice, or a value is not one; the message names it.</exception>
    public static PackageLora Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        Dictionary<string, string> values = new(StringComparer.Ordinal);
        foreach (string part in Separator().Split(text))
        {
            int equals = part.IndexOf('=', StringComparison.Ordinal);
            string key = equals < 0 ? part : part[..equals];
            if (equals < 0 || key is not ("rank" or "alpha" or "targets" or "seed") || !values.TryAdd(key, part[(equals + 1)..]))
            {
                throw Refuse(text, $"'{part}' is no key of its own");
            }

            // Only the expression may hold commas; behind one of the others stands a key that is not known.
            int comma = key == "targets" ? -1 : values[key].IndexOf(',', StringComparison.Ordinal);
            if (comma >= 0)
            {
                throw Refuse(text, $"'{values[key][(comma + 1)..]}' is none of the keys rank, alpha, targets and seed");
            }
        }

        if (!values.TryGetValue("rank", out string? rankText))
        {
            throw Refuse(text, "rank is missing");
        }

        if (!int.TryParse(rankText, NumberStyles.None, CultureInfo.InvariantCulture, out int rank))
        {
            throw Refuse(text, $"rank is '{rankText}', no whole number");
        }

        double alpha = 2.0 * rank;
        ulong seed = 1;
        if (values.TryGetValue("alpha", out string? alphaText) && !double.TryParse(alphaText, NumberStyles.Float, CultureInfo.InvariantCulture, out alpha))
        {
            throw Refuse(text, $"alpha is '{alphaText}'");
        }

        if (values.TryGetValue("seed", out string? seedText) && !ulong.TryParse(seedText, NumberStyles.None, CultureInfo.InvariantCulture, out seed))
        {
            throw Refuse(text, $"seed is '{seedText}'");
        }

        return new PackageLora(rank, alpha, values.GetValueOrDefault("targets", ".*"), seed);
    }

    private static FormatException Refuse(string text, string what) =>
        new($"The low-rank settings '{text}' cannot be read: {what}. Write rank=8,alpha=16,targets=REGEX,seed=1.");

    [GeneratedRegex(",(?=(?:rank|alpha|targets|seed)=)")]
    private static partial Regex Separator();
}
