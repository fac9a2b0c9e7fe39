using System.Globalization;

namespace Federated.Client.Policies;

/// <summary>A part of every day, from a minute to a minute; past midnight when it ends before it begins. Immutable.</summary>
/// <param name="From">The first minute of it.</param>
/// <param name="To">The first minute after it.</param>
internal readonly record struct DayInterval(TimeOnly From, TimeOnly To)
{
    /// <summary>Reads <c>HH:MM-HH:MM</c>.</summary>
    /// <exception cref="FormatException">It is not that, or ends where it begins.</exception>
    public static DayInterval Parse(string? text)
    {
        string[] ends = (text ?? "").Split('-');
        return ends.Length == 2
            && TimeOnly.TryParseExact(ends[0].Trim(), "HH:mm", CultureInfo.InvariantCulture, DateTimeStyles.None, out TimeOnly from)
            && TimeOnly.TryParseExact(ends[1].Trim(), "HH:mm", CultureInfo.InvariantCulture, DateTimeStyles.None, out TimeOnly to)
            && from != to
            ? new DayInterval(from, to)
            : throw new FormatException($"quietHours has '{text}'; write it as HH:MM-HH:MM, for example 22:00-06:30.");
    }

    /// <summary>Whether a time of the day lies in it.</summary>
    public bool Holds(TimeOnly time) => time.IsBetween(From, To);

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{From:HH\\:mm}-{To:HH\\:mm}");
}
