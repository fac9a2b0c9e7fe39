using System.Globalization;

namespace Federated.Client.Data;

/// <summary>Which examples of a source a device trains on.</summary>
/// <param name="Limit">Most of them, at least 1; all when null.</param>
/// <param name="HoldOut">Share that is never trained on, in [0, 1).</param>
/// <param name="Seed">Chooses them.</param>
public sealed record ExampleChoice(int? Limit, double HoldOut, long Seed)
{
    internal const string LimitKey = "limit";
    internal const string HoldOutKey = "holdout";
    internal const string SeedKey = "seed";

    /// <summary>Reads the keys that every kind of source has.</summary>
    /// <param name="settings">Values by key; others than these three are left alone.</param>
    /// <param name="wrong">Makes an error of what is wrong and what is allowed.</param>
    internal static ExampleChoice Parse(IReadOnlyDictionary<string, string> settings, Func<string, string, FormatException> wrong)
    {
        int? limit = null;
        double holdOut = 0;
        long seed = 0;
        if (settings.TryGetValue(LimitKey, out string? text))
        {
            limit = int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int value) && value >= 1
                ? value
                : throw wrong($"the limit is '{text}'", $"examples, 1 to {int.MaxValue}");
        }

        if (settings.TryGetValue(HoldOutKey, out text)
            && !(double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out holdOut) && holdOut is > 0 and < 1))
        {
            throw wrong($"the hold-out is '{text}'", "a share between 0 and 1, for example 0.1");
        }

        if (settings.TryGetValue(SeedKey, out text)
            && !long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out seed))
        {
            throw wrong($"the seed is '{text}'", $"a whole number, 0 to {long.MaxValue}");
        }

        return new ExampleChoice(limit, holdOut, seed);
    }
}
