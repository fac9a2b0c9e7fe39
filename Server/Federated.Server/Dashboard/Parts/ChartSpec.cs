namespace Federated.Server.Dashboard.Parts;

/// <summary>A line or a layer of bars.</summary>
/// <param name="Label">Its name in the legend.</param>
/// <param name="Colour">Name of its colour in the style sheet.</param>
/// <param name="Values">A value for each x; null where there is none.</param>
/// <param name="Dashed">Whether the line is dashed: what is compared with, not what was measured.</param>
public sealed record ChartSeries(string Label, string Colour, IReadOnlyList<double?> Values, bool Dashed = false);

/// <summary>A chart over rounds or versions, as <c>charts.js</c> draws it.</summary>
public sealed record ChartSpec
{
    /// <summary>The rounds or versions, ascending.</summary>
    public required IReadOnlyList<double> X { get; init; }

    /// <summary>What x is.</summary>
    public string XLabel { get; init; } = "Round";

    /// <summary>Lines, or layers from the bottom up.</summary>
    public required IReadOnlyList<ChartSeries> Series { get; init; }

    /// <summary>percent, seconds, bytes, number or count.</summary>
    public required string Unit { get; init; }

    /// <summary>Whether the series are layers of bars.</summary>
    public bool Stacked { get; init; }

    /// <summary>Whether y begins at zero.</summary>
    public bool FromZero { get; init; }

    /// <summary>Whether y is logarithmic.</summary>
    public bool Logarithmic { get; init; }

    /// <summary>Height in pixels without the legend.</summary>
    public int Height { get; init; } = 240;
}
