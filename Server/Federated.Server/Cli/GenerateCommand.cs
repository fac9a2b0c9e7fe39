using System.CommandLine;
using Federated.Modeling;
using Federated.Server.Generation;
using Federated.Shared.Models;

namespace Federated.Server.Cli;

/// <summary>A text that a model wrote.</summary>
/// <param name="Adapter">Whether the adapter was in it.</param>
/// <param name="Text">What follows the prompt.</param>
/// <param name="Tokens">The same as tokens.</param>
internal sealed record GeneratedText(bool Adapter, string Text, IReadOnlyList<int> Tokens);

/// <summary>What <c>models generate</c> gives.</summary>
/// <param name="Name">The model.</param>
/// <param name="Prompt">What it went on from.</param>
/// <param name="Texts">With --compare first the text without the adapter.</param>
internal sealed record GeneratedTexts(string Name, string Prompt, IReadOnlyList<GeneratedText> Texts);

/// <summary><c>models generate</c>: lets a language model write, so that a person sees what an adapter changed.</summary>
internal static class GenerateCommand
{
    private const int MaxLength = 1 << 20;

    /// <summary>The command.</summary>
    public static Command Build(Option<Uri> server, Option<bool> json)
    {
        Argument<string> source = new("package") { Description = "Folder of a package, or a job of the server." };
        Option<string> prompt = new("--prompt") { Description = "The text to go on from.", Required = true, HelpName = "TEXT" };
        Option<int> length = new("--length") { Description = "Tokens to write; without --tokenizer a token is a byte.", DefaultValueFactory = _ => 200 };
        Option<double> temperature = new("--temperature") { Description = "Scores are divided by it; 0 always takes the likeliest token.", DefaultValueFactory = _ => 0.8 };
        Option<int?> top = new("--top-k") { Description = "Draw from so many of the likeliest tokens; from all when left out." };
        Option<ulong> seed = new("--seed") { Description = "Equal seeds give equal texts.", DefaultValueFactory = _ => 1 };
        Option<FileInfo?> adapter = new("--adapter") { Description = "With a package folder: an adapter's file, also as safetensors, or a folder that PEFT wrote.", HelpName = "PATH" };
        Option<bool> compare = new("--compare") { Description = "Write the same without the adapter's low-rank changes first." };
        Option<FileInfo?> tokenizer = new("--tokenizer") { Description = "tokenizer.model, tokenizer.json, or a folder with one; bytes are the tokens when left out.", HelpName = "PATH" };
        Command command = new("generate", "Let a language model go on with a text.")
        {
            source, prompt, length, temperature, top, seed, adapter, compare, tokenizer, server, json,
        };
        command.SetAction((parsed, ct) => ModelsCommand.RunAsync(parsed.GetValue(json), Print, async () =>
        {
            SamplingOptions options = new(parsed.GetValue(temperature), parsed.GetValue(top), parsed.GetValue(seed));
            int count = parsed.GetValue(length);
            Demand(double.IsFinite(options.Temperature) && options.Temperature is >= 0 and <= 100, "--temperature", options.Temperature, "0 to 100");
            Demand(options.TopK is null or >= 1, "--top-k", options.TopK ?? 0, "1 or more");
            Demand(count is >= 1 and <= MaxLength, "--length", count, $"1 to {MaxLength}");
            ITextTokens tokens = parsed.GetValue(tokenizer) is { } file ? TokenizerFile.Open(file.FullName) : new ByteTokens();
            ModelPackage package = (await PackageSource.OpenAsync(parsed.GetValue(source)!, parsed.GetValue(adapter), () => AccessArguments.ClientOf(parsed, parsed.GetValue(server)!), ct)).Package;
            string text = parsed.GetValue(prompt)!;
            List<GeneratedText> texts = [];
            if (parsed.GetValue(compare))
            {
                texts.Add(Write(package with { InitialAdapter = WithoutChanges(package) }, adapter: false));
            }

            texts.Add(Write(package, adapter: true));
            return new GeneratedTexts(package.Manifest.Name, text, texts);

            GeneratedText Write(ModelPackage with, bool adapter)
            {
                using TextModel model = TextModel.Open(with);
                IReadOnlyList<int> written = model.Continue(tokens.Encode(text), count, options, ct);
                return new GeneratedText(adapter, tokens.Decode(written), written);
            }
        }));
        return command;
    }

    /// <summary>The adapter whose factors B are zero.</summary>
    private static float[] WithoutChanges(ModelPackage package)
    {
        PackageManifest manifest = package.Manifest;
        if (manifest.Lora is null)
        {
            throw new CommandException($"--compare: '{manifest.Name}' has no low-rank changes that could be left out.");
        }

        if (manifest.Parameters.Any(parameter => parameter.Lora?.Factor == LoraMatrix.Base))
        {
            throw new CommandException($"--compare: the changes of '{manifest.Name}' are merged into its base weights, as the rule flora does it; there is no model without them here. Compare with the package that the job was given.");
        }

        float[] adapter = [.. package.InitialAdapter];
        foreach ((ParameterSpec place, PackageParameter parameter) in manifest.Layout.Parameters.Zip(manifest.Parameters))
        {
            if (parameter.Lora?.Factor == LoraMatrix.B)
            {
                adapter.AsSpan(place.Offset, place.Length).Clear();
            }
        }

        return adapter;
    }

    private static void Demand(bool holds, string option, object value, string allowed)
    {
        if (!holds)
        {
            throw new CommandException($"{option} is {value}; allowed is {allowed}.");
        }
    }

    private static void Print(GeneratedTexts generated)
    {
        foreach (GeneratedText text in generated.Texts)
        {
            if (generated.Texts.Count > 1)
            {
                Console.Out.WriteLine(text.Adapter ? "--- with the adapter" : "--- without the adapter");
            }

            Console.Out.WriteLine(generated.Prompt + text.Text);
        }
    }
}
