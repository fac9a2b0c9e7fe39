using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Federated.Server.Jobs;
using Federated.Shared.Updates.Plain;
using Federated.Shared.Updates.Values;
using Federated.Simulator.CommandLine;
using Federated.Simulator.Reports;
using Spectre.Console;

namespace Federated.Simulator.Bench;

/// <summary>The verb that shows what the codecs make of an update of a given size.</summary>
internal static class CodecCommand
{
    private const int MaxParameters = 100_000_000;

    private static readonly string[] _columns = ["codec", "payload", "ratio", "error", "error of what is sent", "encode, GB/s", "decode, GB/s"];

    /// <summary>Builds the command.</summary>
    public static Command Build()
    {
        Option<int> parameters = new("--parameters", "-p") { Description = "Parameters of the model's adapter.", DefaultValueFactory = _ => 199_210 };
        Option<double[]> densities = new("--density")
        {
            Description = "Share of the parameters that is sent; may be given several times.",
            DefaultValueFactory = _ => [0.1, 0.01, 0.001],
            AllowMultipleArgumentsPerToken = true,
        };
        Option<int[]> widths = new("--width")
        {
            Description = "Bits of a field of the linear codec; may be given several times.",
            DefaultValueFactory = _ => [8, 12],
            AllowMultipleArgumentsPerToken = true,
        };
        Option<int> clients = new("--clients") { Description = "Clients whose fields of the linear codec are summed.", DefaultValueFactory = _ => 20 };
        Option<ulong> seed = new("--seed") { Description = "Seed of the synthetic update.", DefaultValueFactory = _ => 1 };
        Option<bool> json = new("--json") { Description = "Print a JSON array instead of a table." };
        Command command = new("codec", "Show sizes, errors and rates of the update codecs on a synthetic update.")
        {
            parameters, densities, widths, clients, seed, json,
        };
        command.SetAction(parsed => Run(
            parsed.GetValue(parameters),
            parsed.GetValue(densities) ?? [],
            parsed.GetValue(widths) ?? [],
            parsed.GetValue(clients),
            parsed.GetValue(seed),
            parsed.GetValue(json)));
        return command;
    }

    private static int Run(int parameters, double[] densities, int[] widths, int clients, ulong seed, bool json)
    {
        if (Problem(parameters, densities, widths, clients) is { } problem)
        {
            Console.Error.WriteLine($"error: {problem}");
            return ExitCodes.BadInput;
        }

        CodecBench bench = new(parameters, clients, seed);
        List<CodecRow> rows = [];
        foreach ((string name, PlainCodec codec) in PlainCodecs(densities))
        {
            rows.Add(bench.Plain(name, codec));
        }

        foreach (double density in densities)
        {
            foreach (int width in widths)
            {
                try
                {
                    rows.Add(bench.Linear(density, width));
                }
                catch (ArgumentException e)
                {
                    Console.Error.WriteLine($"error: --width {width} --clients {clients}: {e.Message}");
                    return ExitCodes.BadInput;
                }
            }
        }

        if (json)
        {
            Console.Out.WriteLine(JsonSerializer.Serialize(rows, ReportJson.Indented));
        }
        else
        {
            Print(parameters, rows);
        }

        return ExitCodes.Success;
    }

    private static string? Problem(int parameters, double[] densities, int[] widths, int clients)
    {
        if (parameters is < 1 or > MaxParameters)
        {
            return $"--parameters {parameters}: it is 1 to {MaxParameters}.";
        }

        if (densities.FirstOrDefault(density => !(density is > 0 and <= PlainCodec.MaxSparseDensity), 0.1) is var wrong and not 0.1)
        {
            return $"--density {wrong}: it is above 0 and at most {PlainCodec.MaxSparseDensity}.";
        }

        if (widths.FirstOrDefault(width => width is < LinearSettings.MinWidthBits or > LinearSettings.MaxWidthBits, 0) is var narrow and not 0)
        {
            return $"--width {narrow}: it is {LinearSettings.MinWidthBits} to {LinearSettings.MaxWidthBits}.";
        }

        return clients is < 1 or > 10_000 ? $"--clients {clients}: it is 1 to 10000." : null;
    }

    private static IEnumerable<(string Name, PlainCodec Codec)> PlainCodecs(double[] densities)
    {
        yield return ("dense float32", Dense(ValueEncoding.RawFloat32));
        yield return ("quantized, 8 bits", Dense(ValueEncoding.Block8));
        yield return ("quantized, 4 bits", Dense(ValueEncoding.Block4));
        yield return ("quantized, 2 bits", Dense(ValueEncoding.Block2));
        foreach (double density in densities)
        {
            yield return ($"top-k {density:0.###%}, float32", Sparse(density, ValueEncoding.RawFloat32));
            yield return ($"top-k {density:0.###%}, 8 bits", Sparse(density, ValueEncoding.Block8));
            yield return ($"top-k {density:0.###%}, 4 bits", Sparse(density, ValueEncoding.Block4));
            yield return ($"stc {density:0.###%}", Sparse(density, ValueEncoding.Sign));
        }
    }

    private static PlainCodec Dense(ValueEncoding values) => new() { Density = 1, Values = values, KeepsResidual = false };

    private static PlainCodec Sparse(double density, ValueEncoding values) => new() { Density = density, Values = values };

    private static void Print(int parameters, List<CodecRow> rows)
    {
        if (Console.IsOutputRedirected)
        {
            foreach (string line in Lines(rows))
            {
                Console.Out.WriteLine(line);
            }

            return;
        }

        AnsiConsole.MarkupLineInterpolated($"{parameters:N0} parameters, {Wording.Bytes(parameters * (long)sizeof(float))} as float32; rates on one thread");
        Table table = new Table().Border(TableBorder.Rounded).AddColumns(_columns);
        foreach (CodecRow row in rows)
        {
            table.AddRow(Cells(row));
        }

        AnsiConsole.Write(table);
    }

    /// <summary>The table for a pipe: columns apart by a tab, their names first.</summary>
    internal static IEnumerable<string> Lines(IEnumerable<CodecRow> rows) => rows.Select(Cells).Prepend(_columns).Select(cells => string.Join('\t', cells));

    private static string[] Cells(CodecRow row) =>
    [
        row.Codec,
        Wording.Bytes(row.PayloadBytes),
        row.Ratio.ToString("0.0", CultureInfo.InvariantCulture),
        row.RelativeError.ToString("0.000", CultureInfo.InvariantCulture),
        row.RelativeErrorSent.ToString("0.000", CultureInfo.InvariantCulture),
        row.EncodeGigabytesPerSecond.ToString("0.00", CultureInfo.InvariantCulture),
        row.DecodeGigabytesPerSecond.ToString("0.00", CultureInfo.InvariantCulture),
    ];
}
