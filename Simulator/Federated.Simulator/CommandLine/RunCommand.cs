using System.CommandLine;
using System.CommandLine.Parsing;
using System.Security.Cryptography;
using System.Text.Json;
using Federated.Client.Engines;
using Federated.Server.Jobs;
using Federated.Simulator.Reports;
using Federated.Simulator.Runs;
using Federated.Simulator.Scenarios;
using Spectre.Console;

namespace Federated.Simulator.CommandLine;

/// <summary>The <c>run</c> command.</summary>
internal static class RunCommand
{
    /// <summary>Builds it.</summary>
    public static Command Build()
    {
        Option<string> scenario = new("--scenario", "-s")
        {
            Description = "A scenario built in (see 'scenarios') or the path of a scenario file.",
            HelpName = "NAME|FILE",
            DefaultValueFactory = _ => ScenarioCatalog.DefaultName,
        };
        Option<string[]> overrides = new("--set")
        {
            Description = "Override a setting by its dotted path or the end of it: the setting nearest to the top is meant, and several equally near are refused. For example --set goal=20 --set job.training.learningRate=0.05.",
            HelpName = "key=value",
            AllowMultipleArgumentsPerToken = false,
        };
        Option<ulong?> seed = new("--seed") { Description = "Seed of everything random; the same seed gives the same model, except of a job with privacy, whose noise is never drawn from it.", HelpName = "N" };
        Option<int> threads = new("--threads")
        {
            Description = "Devices that train at a time; the result does not depend on it.",
            HelpName = "N",
            DefaultValueFactory = _ => Environment.ProcessorCount,
            CustomParser = NumberParsing.Threads,
        };
        Option<string> engine = new("--engine")
        {
            Description = "What the devices train with: onnx, or torch in a build with -p:TorchEngine=true.",
            HelpName = "onnx|torch",
            DefaultValueFactory = _ => TrainingEngines.Onnx,
        };
        engine.AcceptOnlyFromAmong([.. TrainingEngines.Names]);
        Option<string?> output = new("--out", "-o") { Description = "Run folder; runs/SCENARIO-SEED-N when left out.", HelpName = "DIR" };
        Option<string?> resume = new("--resume") { Description = "Go on with the interrupted run of this folder, as it was begun.", HelpName = "DIR" };
        Option<string?> data = new("--data") { Description = "Folder that relative paths of example files start from.", HelpName = "PATH" };
        Option<string?> server = new("--server") { Description = "HTTP API of a running server; without it one is started in this process.", HelpName = "URL" };
        Option<bool> keepServing = new("--keep-serving") { Description = "Keep the server in this process, and its dashboard, until Ctrl-C once the run is over." };
        Option<bool> json = new("--json") { Description = "Print nothing but the summary, as JSON." };
        Option<bool> quiet = new("--quiet", "-q") { Description = "Print nothing but the closing account." };
        Command command = new("run", "Run a scenario.") { scenario, overrides, seed, threads, engine, output, resume, data, server, keepServing, json, quiet };
        command.Validators.Add(result =>
        {
            Option[] settled = IsGiven(result, resume) ? [scenario, overrides, seed, engine, output, data, server] : [];
            foreach (Option given in settled.Where(option => IsGiven(result, option)))
            {
                result.AddError($"{given.Name}: not allowed together with --resume, which goes on with the run as it was begun; leave it out, or run the scenario anew");
            }
        });
        command.SetAction((parsed, token) => RunAsync(
            new RunArguments
            {
                Scenario = parsed.GetRequiredValue(scenario),
                Overrides = parsed.GetValue(overrides) ?? [],
                Seed = parsed.GetValue(seed),
                Threads = parsed.GetValue(threads),
                Engine = parsed.GetRequiredValue(engine),
                Out = parsed.GetValue(output),
                Resume = parsed.GetValue(resume),
                Data = parsed.GetValue(data),
                Server = parsed.GetValue(server),
                KeepServing = parsed.GetValue(keepServing),
                Json = parsed.GetValue(json),
                Quiet = parsed.GetValue(quiet),
            },
            token));
        return command;
    }

    /// <summary>Runs and gives the exit code.</summary>
    /// <exception cref="InvalidSettingsException">What was asked for is not possible.</exception>
    public static async Task<int> RunAsync(RunArguments arguments, CancellationToken cancellationToken)
    {
        Uri? server = ServerAddress(arguments.Server);
        if (arguments.Data is { } folder && !Directory.Exists(folder))
        {
            throw new InvalidSettingsException([new SettingProblem("--data", folder, "a folder that exists and holds the scenario's example files")]);
        }

        if (arguments.KeepServing && (server is not null || arguments.Json))
        {
            throw new InvalidSettingsException([new SettingProblem(
                "--keep-serving", $"the option together with {(server is null ? "--json" : "--server")}", "the option with a server in this process and without --json")]);
        }

        (ReadScenario scenario, RunFolder results, RunState? earlier) = arguments.Resume is { } begun ? Continue(begun) : Begin(arguments, ownServer: server is null);
        await using IRunView view = ViewFor(arguments);
        RunRequest request = new()
        {
            Scenario = scenario,
            Folder = results,
            Earlier = earlier,
            Threads = arguments.Threads,
            Engine = Engine(earlier?.Engine ?? arguments.Engine),
            Server = server,
            Afterwards = async (summary, address, ct) =>
            {
                await PrintAsync(() => view.ClosingAsync(summary, results.Path).AsTask(), results);
                if (arguments.KeepServing && !ct.IsCancellationRequested)
                {
                    await Console.Out.WriteLineAsync($"The dashboard stays at {address}; Ctrl-C ends it.");
                    await Task.Delay(Timeout.InfiniteTimeSpan, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                }
            },
        };

        RunSummary summary = await new SimulationRun(request, view, TimeProvider.System).RunAsync(cancellationToken);
        if (arguments.Json)
        {
            await PrintAsync(() => Console.Out.WriteLineAsync(JsonSerializer.Serialize(summary, ReportJson.Indented)), results);
        }

        return ExitCodes.Of(summary.Outcome);
    }

    private static (ReadScenario Scenario, RunFolder Folder, RunState? Earlier) Begin(RunArguments arguments, bool ownServer)
    {
        (string text, string home) = ScenarioCatalog.Find(arguments.Scenario);
        IEnumerable<string> overrides = arguments.Seed is { } seed ? [.. arguments.Overrides, $"job.seed={seed}"] : arguments.Overrides;

        // On a server that others use, devices of two runs in one population would train each other's jobs.
        string? suffix = ownServer ? null : Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4));
        ReadScenario scenario = ScenarioReader.Locate(
            ScenarioReader.Read(text, overrides, suffix), Path.GetFullPath(arguments.Data ?? home), readsHeldOut: ownServer, demandsBase: ownServer);
        return (scenario, RunFolder.Open(arguments.Out, scenario.Scenario.Name, scenario.Scenario.Job.Seed, Environment.CurrentDirectory), null);
    }

    private static (ReadScenario Scenario, RunFolder Folder, RunState? Earlier) Continue(string folder)
    {
        RunFolder results = RunFolder.Reopen(folder, Environment.CurrentDirectory);

        // The job's package is in the run's store.
        ReadScenario scenario = ScenarioReader.Locate(ScenarioReader.Read(results.ReadScenario(), []), results.Path, readsHeldOut: true, demandsBase: false);
        return (scenario, results, results.ReadState());
    }

    /// <summary>Prints the account of a run that is over.</summary>
    /// <exception cref="RunBrokenException">The output does not take it; the run folder has it all the same.</exception>
    internal static async Task PrintAsync(Func<Task> print, RunFolder results)
    {
        try
        {
            await print();
        }
        catch (IOException e)
        {
            throw new RunBrokenException($"The run is over and its account is in {results.SummaryPath}, but it could not be printed: {e.Message}", e);
        }
    }

    private static bool IsGiven(CommandResult command, Option option) => command.GetResult(option) is { Implicit: false };

    private static ITrainingEngine Engine(string name)
    {
        try
        {
            return TrainingEngines.Open(name, threads: 1);
        }
        catch (NotSupportedException e)
        {
            throw new InvalidSettingsException([new SettingProblem("--engine", name, $"{TrainingEngines.Onnx}. {e.Message}")]);
        }
    }

    private static IRunView ViewFor(RunArguments arguments)
    {
        bool redirected = arguments.Json ? Console.IsErrorRedirected : Console.IsOutputRedirected;
        if (arguments.Json && (redirected || arguments.Quiet))
        {
            return new SilentView();
        }

        TextWriter output = arguments.Json ? Console.Error : Console.Out;
        if (redirected || arguments.Quiet)
        {
            return new PlainView(output, arguments.Quiet);
        }

        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(output) });
        return console.Profile.Capabilities.Ansi ? new TerminalView(console, TimeProvider.System) : new PlainView(output, quiet: false);
    }

    private static Uri? ServerAddress(string? text)
    {
        if (text is null)
        {
            return null;
        }

        return Uri.TryCreate(text, UriKind.Absolute, out Uri? address) && (address.Scheme == Uri.UriSchemeHttp || address.Scheme == Uri.UriSchemeHttps)
            ? address
            : throw new InvalidSettingsException([new SettingProblem("--server", text, "the URL of a server's HTTP API, for example http://localhost:5400")]);
    }
}
