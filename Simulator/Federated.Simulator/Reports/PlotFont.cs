using ScottPlot;

namespace Federated.Simulator.Reports;

/// <summary>The typeface of the plots. It ships with the simulator: servers and containers often have no fonts at all.</summary>
internal static class PlotFont
{
    /// <summary>Name the plots ask for.</summary>
    public const string Name = "Federated Sans";

    private static readonly Lazy<bool> _registered = new(Register);

    /// <summary>Makes the typeface known to the plotting library; once a process.</summary>
    public static void EnsureRegistered() => _ = _registered.Value;

    private static bool Register()
    {
        Fonts.AddFontFile(Name, Path.Combine(AppContext.BaseDirectory, "Fonts", "DejaVuSans.ttf"), bold: false, italic: false);
        return true;
    }
}
