using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Federated.Modeling;
using Federated.Modeling.Exports;
using Federated.Modeling.Imports;
using Federated.Modeling.Lora;
using Federated.Modeling.Onnx;
using Federated.Server.Api;
using Federated.Shared.Models;
using Federated.Shared.Protocol;

namespace Federated.Server.Cli;

/// <summary><c>models import</c> and <c>inspect</c>. Exit codes: 0 done, 1 failed, 2 bad input or a model that cannot be trained.</summary>
internal static class ModelsCommand
{
    private static readonly JsonSerializerOptions _jsonOptions = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        NewLine = "\n",
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    /// <summary>The command <c>import</c>.</summary>
    public static Command Import(Option<bool> json)
    {
        Argument<FileInfo> file = new("file") { Description = "An ONNX model, operator set 7 to 23; or the folder of a published model of the Llama family, with config.json and safetensors." };
        Option<string> task = new("--task") { Description = "What it is trained for.", Required = true, HelpName = "classification|causal-lm|regression|embedding" };
        task.AcceptOnlyFromAmong("classification", "causal-lm", "regression", "embedding");
        Option<string?> lora = new("--lora") { Description = "Low-rank changes: rank=8,alpha=16,targets=REGEX,seed=1. The expression is searched in the names of layers, nodes and weights.", HelpName = "SETTINGS" };
        Option<DirectoryInfo?> peft = new("--peft") { Description = "In place of --lora: a folder that PEFT wrote, which gives layers, rank, alpha and the factors to start from.", HelpName = "DIR" };
        Option<int?> bits = new("--base-bits") { Description = "Store frozen matrices in blocks of 8 or 4 bits a weight; float32 when left out.", HelpName = "8|4" };
        Option<string?> trainable = new("--trainable") { Description = "Weights that are trained as a whole: all, or an expression that their names are searched for.", HelpName = "all|REGEX" };
        Option<string?> input = new("--input") { Description = "The input that takes the features, if there are several.", HelpName = "NAME" };
        Option<string?> output = new("--output") { Description = "The output, or any value inside, that the loss is taken of.", HelpName = "NAME" };
        Option<string?> shape = new("--input-shape") { Description = "Shape of one example without the batch, for example 3,32,320; the tokens of an example for a published model, 128 when left out.", HelpName = "D,D,…" };
        Option<string[]> fill = new("--fill") { Description = "A constant value for another input; may be given several times.", HelpName = "NAME=VALUE" };
        Option<string?> name = new("--name") { Description = "The model's name; the file's when left out.", HelpName = "NAME" };
        Option<DirectoryInfo?> folder = new("--out") { Description = "Folder to write the package to.", HelpName = "DIR" };
        Option<Uri?> server = new("--server") { Description = "HTTP API of a server whose store takes the package.", HelpName = "URL", CustomParser = ServerCommandLine.ParseAddress };
        Command command = new("import", "Make a model package of an ONNX file or of a published language model.") { file, task, lora, peft, bits, trainable, input, output, shape, fill, name, folder, server, json };
        command.SetAction((parsed, ct) => RunAsync(parsed.GetValue(json), PackageText.Print, async () =>
        {
            FileInfo source = parsed.GetValue(file)!;
            DirectoryInfo? target = parsed.GetValue(folder);
            Uri? address = parsed.GetValue(server);
            bool isFolder = Directory.Exists(source.FullName);
            if ((!source.Exists && !isFolder) || (target is null && address is null))
            {
                throw new CommandException(
                    source.Exists || isFolder ? "The package goes nowhere: give --out DIR, --server URL, or both." : $"There is no file '{source.FullName}'.");
            }

            PeftAdapter? adapter = parsed.GetValue(peft) is { } adapters ? PeftAdapter.ReadFolder(adapters.FullName) : null;
            if (adapter is not null && parsed.GetValue(lora) is not null)
            {
                throw new CommandException("--peft and --lora both say what is adapted; give one of them.");
            }

            ImportOptions options = new()
            {
                Task = Task(parsed.GetValue(task)!),
                Name = parsed.GetValue(name),
                Input = parsed.GetValue(input),
                Output = parsed.GetValue(output),
                InputShape = parsed.GetValue(shape) is { } text ? Shape(text) : null,
                Fill = Fill(parsed.GetValue(fill) ?? []),
                Lora = parsed.GetValue(lora) is { } settings ? LoraText.Parse(settings) : adapter?.Settings,
                Trainable = parsed.GetValue(trainable),
                BaseBits = parsed.GetValue(bits),
            };
            ImportResult result = isFolder ? LlamaImporter.Import(source.FullName, options) : OnnxImporter.Import(source.FullName, options);
            if (adapter is not null)
            {
                result = result with { Package = adapter.Into(result.Package) };
            }

            if (target is not null)
            {
                _ = PackageFolder.Write(result.Package, target.FullName);
            }

            if (address is not null)
            {
                using ServerApiClient api = AccessArguments.ClientOf(parsed, address);
                await api.SubmitPackageAsync(result.Package, ct);
            }

            string hash = ContentHash.Of(result.Package.Manifest.ToBytes()).Hex;
            return new ImportedPackage(hash, target?.FullName, address, result.Report);
        }));
        return command;
    }

    /// <summary>The command <c>inspect</c>.</summary>
    public static Command Inspect(Option<bool> json)
    {
        Argument<DirectoryInfo> folder = new("package") { Description = "Folder of a package." };
        Command command = new("inspect", "Show a package and verify its files.") { folder, json };
        command.SetAction((parsed, _) => RunAsync(parsed.GetValue(json), PackageText.Print, () =>
        {
            PackageManifest manifest = PackageFolder.Read(parsed.GetValue(folder)!.FullName).Manifest;
            return System.Threading.Tasks.Task.FromResult(new InspectedPackage(ContentHash.Of(manifest.ToBytes()).Hex, manifest));
        }));
        return command;
    }

    /// <summary>Runs a command whose input may be wrong in ways that only the model tells.</summary>
    internal static async Task<int> RunAsync<T>(bool json, Action<T> print, Func<Task<T>> run)
    {
        T result;
        try
        {
            result = await run();
        }
        catch (Exception e) when (e is OnnxFormatException or ArgumentException or FormatException or InvalidDataException or ProtocolViolationException)
        {
            throw new CommandException(e.Message);
        }

        if (json)
        {
            Console.Out.WriteLine(JsonSerializer.Serialize(result, _jsonOptions));
        }
        else
        {
            print(result);
        }

        return 0;
    }

    private static ModelTask Task(string text) => text switch
    {
        "causal-lm" => ModelTask.CausalLm,
        "regression" => ModelTask.Regression,
        "embedding" => ModelTask.Embedding,
        _ => ModelTask.Classification,
    };

    private static int[] Shape(string text)
    {
        try
        {
            return [.. text.Split(',', 'x').Select(d => int.Parse(d, NumberStyles.None, CultureInfo.InvariantCulture))];
        }
        catch (Exception e) when (e is FormatException or OverflowException)
        {
            throw new CommandException($"--input-shape is '{text}'; write the sizes of one example, for example 3,32,320.");
        }
    }

    private static Dictionary<string, double> Fill(IEnumerable<string> assignments)
    {
        Dictionary<string, double> values = new(StringComparer.Ordinal);
        foreach (string assignment in assignments)
        {
            int equals = assignment.LastIndexOf('=');
            if (equals < 1 || !double.TryParse(assignment[(equals + 1)..], NumberStyles.Float, CultureInfo.InvariantCulture, out double value)
                || !values.TryAdd(assignment[..equals], value))
            {
                throw new CommandException($"--fill is '{assignment}'; write NAME=VALUE, each name once.");
            }
        }

        return values;
    }
}
