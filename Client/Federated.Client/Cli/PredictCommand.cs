using System.CommandLine;
using System.Net.Sockets;
using Federated.Client.Data;
using Federated.Client.Engines;
using Federated.Client.Operations;
using Federated.Client.Personal;
using Federated.Client.Session;
using Federated.Client.Transport;
using Federated.Training;

namespace Federated.Client.Cli;

/// <summary><c>predict</c>: asks the model that this device keeps of a job, once or as a service for other programs on it.</summary>
internal sealed class PredictCommand : Command
{
    private const int MostBodyBytes = 16 << 20;

    private readonly Option<string> _state = new("--state") { Description = "The state folder of the agent, which runs or ran with --personal.", HelpName = "DIR", Required = true };
    private readonly Option<string?> _job = new("--job") { Description = "The job whose model answers; needed when several are kept.", HelpName = "ID" };
    private readonly Option<PersonalChoice> _model = new("--model")
    {
        Description = "Which model answers: the one tuned on this device, the shared one, or whichever has the lower loss on the examples held out.",
        HelpName = "better|personal|shared",
        DefaultValueFactory = _ => PersonalChoice.Better,
    };

    private readonly Option<string?> _data = new("--data") { Description = "Examples to answer for, as 'run' takes them; then ends.", HelpName = "SPEC" };
    private readonly Option<int?> _port = new("--port") { Description = "Answer HTTP on this port of the loopback interface, until stopped; 0 takes a free one.", HelpName = "PORT" };
    private readonly Option<string?> _socket = new("--socket") { Description = "Answer HTTP on a Unix socket that this user alone may use, until stopped.", HelpName = "PATH" };
    private readonly Option<string> _engine = new("--engine") { Description = "What computes.", HelpName = "onnx|torch", DefaultValueFactory = _ => TrainingEngines.Onnx };
    private readonly Option<bool> _json = new("--json") { Description = "With --data: one JSON object an example on standard output." };

    /// <summary>Declares the command.</summary>
    public PredictCommand()
        : base("predict", "Asks the model that this device keeps. POST {\"inputs\":[…]} to /predict; GET / tells which model it is. Exit codes: 0 done, 1 failure, 2 wrong usage or input, 130 interrupted.")
    {
        _engine.AcceptOnlyFromAmong([.. TrainingEngines.Names]);
        _port.CustomParser = result => (int)WholeNumber.Parse(result, _port.Name, 0, 65_535);
        Validators.Add(result =>
        {
            // Whether they are there, not what they say: a value that cannot be read is refused by itself.
            if (new Option[] { _data, _port, _socket }.Count(option => result.GetResult(option) is not null) != 1)
            {
                result.AddError("Say what is to be answered: exactly one of --data, --port and --socket.");
            }
        });
        Options.Add(_state);
        Options.Add(_job);
        Options.Add(_model);
        Options.Add(_data);
        Options.Add(_port);
        Options.Add(_socket);
        Options.Add(_engine);
        Options.Add(_json);
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult parse, CancellationToken cancellationToken)
    {
        TextWriter error = parse.InvocationConfiguration.Error;
        try
        {
            StateFolder state = new(parse.GetRequiredValue(_state));
            if (!Directory.Exists(state.Packages))
            {
                throw new FormatException($"'{state.Path}' is no state folder of an agent that has taken part in a round: there is no '{state.Packages}'.");
            }

            using ModelCache models = new(
                new ModelCacheOptions { Folder = state.Packages, MaxFolderBytes = long.MaxValue, TrainingThreads = 1 }, TrainingEngines.Open(parse.GetRequiredValue(_engine), 1));
            using Predictor predictor = await Predictor.OpenAsync(state, parse.GetValue(_job), parse.GetValue(_model), models, TimeProvider.System, cancellationToken).ConfigureAwait(false);
            if (parse.GetValue(_data) is { } data)
            {
                Answer(parse, predictor, DataSourceSpec.Parse(data).Open(TimeProvider.System), cancellationToken);
                return ExitCode.Success;
            }

            await ServeAsync(parse, predictor, cancellationToken).ConfigureAwait(false);
            return ExitCode.Success;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            await error.WriteLineAsync("Stopped.").ConfigureAwait(false);
            return ExitCode.Interrupted;
        }
        catch (SocketException e)
        {
            await error.WriteLineAsync($"error: {parse.GetValue(_socket) ?? $"--port {parse.GetValue(_port)}"} cannot be listened on: {e.Message}. Choose another.").ConfigureAwait(false);
            return ExitCode.Usage;
        }
        catch (Exception e) when (e is FormatException or ArgumentException or NotSupportedException or IOException or UnauthorizedAccessException)
        {
            await error.WriteLineAsync($"error: {e.Message}").ConfigureAwait(false);
            return ExitCode.Usage;
        }
        catch (InvalidDataException e)
        {
            await error.WriteLineAsync($"error: {e.Message}").ConfigureAwait(false);
            return ExitCode.Failure;
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // Engines throw exceptions of their own, for a token beyond the vocabulary for example.
            await error.WriteLineAsync($"error: {e.GetType().Name}: {e.Message}").ConfigureAwait(false);
            return ExitCode.Failure;
        }
    }

    private void Answer(ParseResult parse, Predictor predictor, DeviceExamples examples, CancellationToken cancellationToken)
    {
        TextWriter output = parse.InvocationConfiguration.Output;
        bool json = parse.GetValue(_json);
        predictor.Score(
            examples.Training,
            (example, scores) => output.WriteLine(json ? PredictionText.Line(predictor.Manifest, example, scores) : PredictionText.Plain(predictor.Manifest, example, scores)),
            cancellationToken);
        parse.InvocationConfiguration.Error.WriteLine(
            $"{examples.Training.Count} examples, answered by the {(predictor.IsPersonal ? "model tuned on this device" : "shared model")} of job '{predictor.Document.JobId}', round {predictor.Document.Round}.");
    }

    private async Task ServeAsync(ParseResult parse, Predictor predictor, CancellationToken cancellationToken)
    {
        Task<LocalAnswer> Serve(LocalRequest request, CancellationToken ct) => AnswerAsync(predictor, request, ct);

        await using LocalHttp http = parse.GetValue(_socket) is { } path
            ? LocalHttp.OnSocket(path, MostBodyBytes, Serve)
            : LocalHttp.OnPort(parse.GetValue(_port)!.Value, MostBodyBytes, Serve);
        await parse.InvocationConfiguration.Output.WriteLineAsync($"Answering on {http.Address}").ConfigureAwait(false);
        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken).ConfigureAwait(false);
    }

    private static async Task<LocalAnswer> AnswerAsync(Predictor predictor, LocalRequest request, CancellationToken cancellationToken)
    {
        try
        {
            await predictor.RefreshAsync(cancellationToken).ConfigureAwait(false);
            return (request.Method, request.Path) switch
            {
                ("GET", "/") => new LocalAnswer("200 OK", PredictionText.Describe(predictor)),
                ("POST", "/predict") => new LocalAnswer("200 OK", Predict(predictor, request.Body, cancellationToken)),
                (_, "/" or "/predict") => LocalAnswer.Error("405 Method Not Allowed", $"{request.Path} does not take {request.Method}; GET / and POST /predict are answered."),
                _ => LocalAnswer.Error("404 Not Found", "There are GET / and POST /predict."),
            };
        }
        catch (FormatException e)
        {
            return LocalAnswer.Error("400 Bad Request", e.Message);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // Engines throw exceptions of their own, for a token beyond the vocabulary for example; the service goes on.
            return LocalAnswer.Error("500 Internal Server Error", e.Message);
        }
    }

    private static byte[] Predict(Predictor predictor, ReadOnlyMemory<byte> body, CancellationToken cancellationToken)
    {
        IExampleSource inputs = PredictionInputs.Parse(body, predictor.Manifest);
        return LocalAnswer.Object(writer =>
        {
            PredictionText.WriteSource(writer, predictor);
            writer.WriteStartArray("outputs");
            predictor.Score(inputs, (_, scores) => PredictionText.Write(writer, predictor.Manifest, scores), cancellationToken);
            writer.WriteEndArray();
        });
    }
}
