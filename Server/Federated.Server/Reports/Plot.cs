using System.Globalization;
using System.Net;
using System.Text;

namespace Federated.Server.Reports;

/// <summary>A series of a plot.</summary>
/// <param name="Name">Its name in the legend.</param>
/// <param name="Points">x and y; a y that is not finite leaves a gap.</param>
internal sealed record PlotSeries(string Name, IReadOnlyList<(double X, double Y)> Points);

/// <summary>Draws small plots as SVG text, for pages that must need nothing else.</summary>
internal static class Plot
{
    private const int Width = 640;
    private const int Height = 260;
    private const int Left = 70;
    private const int Right = 12;
    private const int Top = 12;
    private const int Bottom = 44;
    private const int Ticks = 5;

    /// <summary>Lines over x, from zero upwards.</summary>
    public static string Lines(string title, string xLabel, IReadOnlyList<PlotSeries> series, Func<double, string> format)
    {
        (double X, double Y)[] all = [.. series.SelectMany(one => one.Points).Where(point => double.IsFinite(point.Y))];
        if (all.Length == 0)
        {
            return Empty(title);
        }

        Frame frame = new(all.Min(point => point.X), all.Max(point => point.X), Ceiling(all.Max(point => point.Y)));
        StringBuilder svg = Open(title, frame, xLabel, format);
        for (int i = 0; i < series.Count; i++)
        {
            foreach (string path in Runs(series[i].Points, frame))
            {
                svg.Append(CultureInfo.InvariantCulture, $"<polyline class=\"s{i}\" fill=\"none\" points=\"{path}\"/>");
            }
        }

        return Close(svg, series.Select(one => one.Name));
    }

    /// <summary>Stacked bars over x.</summary>
    public static string Bars(string title, string xLabel, IReadOnlyList<string> names, IReadOnlyList<(double X, double[] Parts)> bars, Func<double, string> format)
    {
        if (bars.Count == 0)
        {
            return Empty(title);
        }

        Frame frame = new(bars[0].X - 0.5, bars[^1].X + 0.5, Ceiling(bars.Max(bar => bar.Parts.Sum())));
        StringBuilder svg = Open(title, frame, xLabel, format);
        double width = Math.Max(0.5, 0.8 * (frame.Px(1) - frame.Px(0)));
        foreach ((double x, double[] parts) in bars)
        {
            double floor = 0;
            for (int i = 0; i < parts.Length; i++)
            {
                double top = frame.Py(floor + parts[i]);
                svg.Append(CultureInfo.InvariantCulture, $"<rect class=\"f{i}\" x=\"{frame.Px(x) - (width / 2):F1}\" y=\"{top:F1}\" width=\"{width:F1}\" height=\"{frame.Py(floor) - top:F1}\"/>");
                floor += parts[i];
            }
        }

        return Close(svg, names);
    }

    private static string Empty(string title) => $"<figure><figcaption>{WebUtility.HtmlEncode(title)}</figcaption><p>Nothing was measured.</p></figure>";

    private static StringBuilder Open(string title, Frame frame, string xLabel, Func<double, string> format)
    {
        StringBuilder svg = new();
        svg.Append(CultureInfo.InvariantCulture, $"<figure><figcaption>{WebUtility.HtmlEncode(title)}</figcaption><svg viewBox=\"0 0 {Width} {Height}\" role=\"img\" aria-label=\"{WebUtility.HtmlEncode(title)}\">");
        for (int i = 0; i <= Ticks; i++)
        {
            double value = frame.MaxY * i / Ticks;
            double y = frame.Py(value);
            svg.Append(CultureInfo.InvariantCulture, $"<line class=\"grid\" x1=\"{Left}\" x2=\"{Width - Right}\" y1=\"{y:F1}\" y2=\"{y:F1}\"/>");
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{Left - 6}\" y=\"{y + 4:F1}\" text-anchor=\"end\">{WebUtility.HtmlEncode(format(value))}</text>");
        }

        foreach (double x in new[] { Math.Ceiling(frame.MinX), Math.Floor(frame.MaxX) }.Distinct())
        {
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{frame.Px(x):F1}\" y=\"{Height - Bottom + 18}\" text-anchor=\"middle\">{x:F0}</text>");
        }

        return svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{(Left + Width - Right) / 2}\" y=\"{Height - Bottom + 18}\" text-anchor=\"middle\">{WebUtility.HtmlEncode(xLabel)}</text>");
    }

    private static string Close(StringBuilder svg, IEnumerable<string> names)
    {
        int x = Left;
        int i = 0;
        foreach (string name in names)
        {
            svg.Append(CultureInfo.InvariantCulture, $"<rect class=\"f{i}\" x=\"{x}\" y=\"{Height - 14}\" width=\"10\" height=\"10\"/><text x=\"{x + 14}\" y=\"{Height - 5}\">{WebUtility.HtmlEncode(name)}</text>");
            x += 24 + (8 * name.Length);
            i++;
        }

        return svg.Append("</svg></figure>").ToString();
    }

    private static IEnumerable<string> Runs(IReadOnlyList<(double X, double Y)> points, Frame frame)
    {
        List<string> run = [];
        foreach ((double x, double y) in points)
        {
            if (double.IsFinite(y))
            {
                run.Add(string.Create(CultureInfo.InvariantCulture, $"{frame.Px(x):F1},{frame.Py(y):F1}"));
            }
            else if (run.Count > 0)
            {
                yield return string.Join(' ', run);
                run.Clear();
            }
        }

        if (run.Count > 0)
        {
            yield return string.Join(' ', run);
        }
    }

    // The next of 1, 2, 2.5, 5 times a power of ten, so that the lines of the grid have short names.
    private static double Ceiling(double value)
    {
        if (!(value > 0))
        {
            return 1;
        }

        double power = Math.Pow(10, Math.Floor(Math.Log10(value)));
        return new[] { 1, 2, 2.5, 5, 10 }.First(step => step * power >= value * (1 - 1e-9)) * power;
    }

    private readonly record struct Frame(double MinX, double MaxX, double MaxY)
    {
        public double Px(double x) => Left + ((MaxX > MinX ? (x - MinX) / (MaxX - MinX) : 0.5) * (Width - Left - Right));

        public double Py(double y) => Height - Bottom - (y / MaxY * (Height - Top - Bottom));
    }
}
