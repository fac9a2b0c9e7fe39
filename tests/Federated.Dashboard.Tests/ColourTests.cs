using System.Globalization;
using System.Text.RegularExpressions;
using Federated.Testing;

namespace Federated.Dashboard.Tests;

/// <summary>The colours of bars and lines against what lies behind them.</summary>
public sealed partial class ColourTests
{
    private const double LeastContrast = 3;

    private static readonly string[] _behind = ["surface", "raised"];

    [Theory]
    [InlineData("series-1")]
    [InlineData("series-2")]
    [InlineData("series-3")]
    [InlineData("series-4")]
    [InlineData("wait")]
    [InlineData("download")]
    [InlineData("train")]
    [InlineData("other")]
    [InlineData("upload")]
    [InlineData("good")]
    [InlineData("warn")]
    [InlineData("bad")]
    public void Graphics_LightAndDark_StandOutFromWhatLiesBehind(string name)
    {
        Dictionary<string, (string Light, string Dark)> colours = Colours()
            .Matches(File.ReadAllText(Path.Combine(RepositoryRoot.Find(), "Server/Federated.Server/Dashboard/Assets/dashboard.css")))
            .ToDictionary(match => match.Groups["name"].Value, match => (match.Groups["light"].Value, match.Groups["dark"].Value));

        Assert.All(_behind, behind =>
        {
            double light = Contrast(colours[name].Light, colours[behind].Light);
            double dark = Contrast(colours[name].Dark, colours[behind].Dark);
            Assert.True(light >= LeastContrast, $"--{name} is {light:0.00}:1 against --{behind} in light colours.");
            Assert.True(dark >= LeastContrast, $"--{name} is {dark:0.00}:1 against --{behind} in dark colours.");
        });
    }

    /// <summary>The contrast of WCAG 2, from 1 to 21.</summary>
    private static double Contrast(string one, string other)
    {
        double a = Luminance(one);
        double b = Luminance(other);
        return (Math.Max(a, b) + 0.05) / (Math.Min(a, b) + 0.05);
    }

    private static double Luminance(string colour) => (0.2126 * Linear(colour, 0)) + (0.7152 * Linear(colour, 2)) + (0.0722 * Linear(colour, 4));

    private static double Linear(string colour, int at)
    {
        double value = int.Parse(colour.AsSpan(at, 2), NumberStyles.HexNumber, CultureInfo.InvariantCulture) / 255.0;
        return value <= 0.04045 ? value / 12.92 : Math.Pow((value + 0.055) / 1.055, 2.4);
    }

    [GeneratedRegex("--(?<name>[a-z0-9-]+): light-dark\\(#(?<light>[0-9a-f]{6}), #(?<dark>[0-9a-f]{6})\\);")]
    private static partial Regex Colours();
}
