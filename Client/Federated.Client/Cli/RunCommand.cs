using System.CommandLine;
using System.Net.Sockets;
using System.Text.Json;
using Federated.Client.Data;
using Federated.Client.Engines;
using Federated.Client.Identity;
using Federated.Client.Operations;
using Federated.Client.Personal;
using Federated.Client.Policies;
using Federated.Client.Session;
using Federated.Client.Transport;
using Federated.Shared.SecureAggregation;

namespace Federated.Client.Cli;

/// <summary><c>run</c>: the agent of one device.</summary>
internal sealed class RunCommand : Command
{
    private const long BytesInAKilobit = 125;

    private readonly Option<string?> _server = new("--server")
    {
        Description = "Address of the server, https://HOST:PORT; an enrolled device knows it. In clear text, http://, on this machine only.",
        HelpName = "URL",
    };

    private readonly Option<string?> _deviceId = new("--device-id") { Description = "Name of this device, unique in its population; an enrolled device has one.", HelpName = "ID" };
    private readonly Option<string?> _population = new("--population") { Description = "The population this device belongs to, unless enrollment said so.", HelpName = "NAME" };
    private readonly Option<string> _data = new("--data")
    {
        Description = "Examples to train on: idx:images=PATH,labels=PATH, csv:path=PATH,label=NAME (target=NAME for a number), text:folder=PATH,length=TOKENS, tokens:path=PATH,length=TOKENS, images:folder=PATH,size=HxW,channels=1|3 or audio:folder=PATH,rate=HZ,mels=M,frames=T; the first four with an optional ,slice=START:COUNT, all with optional ,holdout=SHARE that is never trained on, ,limit=COUNT that is at most, and ,seed=NUMBER that chooses.",
        HelpName = "SPEC",
        Required = true,
    };

    private readonly Option<string[]> _labels = new("--label") { Description = "A label of the device; may be given several times.", HelpName = "NAME=VALUE" };
    private readonly Option<string?> _state = new("--state") { Description = "Folder that keeps the identity, model packages, tensors that stay on the device, and what compressed updates have left out, between runs; without it all begin anew.", HelpName = "DIR" };
    private readonly Option<string> _engine = new("--engine")
    {
        Description = "What trains: onnx, or torch in a build with -p:TorchEngine=true.",
        HelpName = "onnx|torch",
        DefaultValueFactory = _ => TrainingEngines.Onnx,
    };

    private readonly Option<int> _threads = new("--threads") { Description = "Threads the engine trains with, 1 to 256.", HelpName = "N", DefaultValueFactory = _ => 1 };
    private readonly Option<long?> _rounds = new("--rounds") { Description = "Stop after N contributed rounds.", HelpName = "N" };
    private readonly Option<bool> _untilIdle = new("--until-idle") { Description = "Stop at the first check-in that brings no assignment." };
    private readonly Option<string?> _policy = new("--policy")
    {
        Description = "JSON file that says when this device may train and with how much of itself: power, heat, hours, memory, disk, network, share of the processor, limits of a day.",
        HelpName = "FILE",
    };

    private readonly Option<long> _maxKilobits = new("--max-kilobits")
    {
        Description = "Most content to transfer, up and down together, in kbit/s; 0 for no limit.",
        HelpName = "N",
        DefaultValueFactory = _ => 0,
    };

    private readonly Option<long> _cacheMebibytes = new("--cache-mebibytes")
    {
        Description = "Most that model packages may take of the disk, in MiB; what was used longest ago leaves first.",
        HelpName = "N",
        DefaultValueFactory = _ => 4096,
    };

    private readonly Option<int?> _healthPort = new("--health-port")
    {
        Description = "Answer HTTP on this port of the loopback interface with how the client is doing; 0 takes a free one.",
        HelpName = "PORT",
    };

    private readonly Option<bool> _personal = new("--personal")
    {
        Description = "After each round keep what this device's own training made of the model, beside the shared one, and compare both on the examples held out; ask them with 'predict'. Needs --state.",
    };

    private readonly Option<bool> _maskedOnly = new("--masked-only")
    {
        Description = "Take part in no round but those under secure aggregation, whatever the server plans.",
    };

    private readonly Option<bool> _exitWhenUpdated = new("--exit-when-updated")
    {
        Description = "Stop between two rounds when the program's file was replaced, so that the service manager starts the newer one.",
    };

    private readonly Option<bool> _json = new("--json") { Description = "One JSON object a session on standard output; everything else goes to standard error." };

    private readonly SessionOptions _session;

    /// <summary>Declares the command.</summary>
    /// <param name="session">How sessions behave where the arguments say nothing.</param>
    public RunCommand(SessionOptions session)
        : base("run", "Checks in with a server, trains when assigned, and submits, until stopped. Exit codes: 0 done, 1 failure, 2 wrong usage or input, 130 interrupted.")
    {
        _session = session;
        _engine.AcceptOnlyFromAmong([.. TrainingEngines.Names]);
        _threads.CustomParser = result => (int)WholeNumber.Parse(result, _threads.Name, 1, 256);
        _rounds.CustomParser = result => WholeNumber.Parse(result, _rounds.Name, 1, long.MaxValue);
        _healthPort.CustomParser = result => (int)WholeNumber.Parse(result, _healthPort.Name, 0, 65_535);
        _maxKilobits.CustomParser = result => WholeNumber.Parse(result, _maxKilobits.Name, 0, 10_000_000);
        _cacheMebibytes.CustomParser = result => WholeNumber.Parse(result, _cacheMebibytes.Name, 1, 1 << 30);
        Options.Add(_server);
        Options.Add(_deviceId);
        Options.Add(_population);
        Options.Add(_data);
        Options.Add(_labels);
        Options.Add(_state);
        Options.Add(_engine);
        Options.Add(_threads);
        Options.Add(_rounds);
        Options.Add(_untilIdle);
        Options.Add(_policy);
        Options.Add(_maxKilobits);
        Options.Add(_cacheMebibytes);
        Options.Add(_healthPort);
        Options.Add(_personal);
        Options.Add(_maskedOnly);
        Options.Add(_exitWhenUpdated);
        Options.Add(_json);
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult parse, CancellationToken cancellationToken)
    {
        TextWriter output = parse.InvocationConfiguration.Output;
        TextWriter error = parse.InvocationConfiguration.Error;
        DeviceArguments device;
        DeviceExamples examples;
        GrpcServerLink opened;
        GroupMembership? enrollment;
        ModelCache cache;
        ITrainingEngine engine;
        DevicePolicy? policy;
        try
        {
            if (parse.GetValue(_personal) && parse.GetValue(_state) is null)
            {
                throw new FormatException("--personal keeps models in the state folder. Name one with --state.");
            }

            policy = parse.GetValue(_policy) is { } file ? DevicePolicy.Read(file) : null;
            if (policy is { Nice: > 0 })
            {
                // Before the engine starts threads of its own.
                _ = ProcessNiceness.Set(policy.Nice);
            }

            engine = TrainingEngines.Open(parse.GetRequiredValue(_engine), parse.GetValue(_threads));
            device = DeviceArguments.Resolve(
                parse.GetValue(_server), parse.GetValue(_deviceId), parse.GetValue(_population), parse.GetValue(_state), Labels(parse));
            examples = DataSourceSpec.Parse(parse.GetRequiredValue(_data)).Open(TimeProvider.System);
            opened = device.Connect(parse.GetValue(_maxKilobits) * BytesInAKilobit);
            enrollment = device.Enrolled?.Enrollment(opened);
            cache = OpenCache(parse, engine, policy);
        }
        catch (Exception e) when (e is FormatException or ArgumentException or IOException or InvalidDataException or UnauthorizedAccessException or NotSupportedException)
        {
            await error.WriteLineAsync($"error: {e.Message}").ConfigureAwait(false);

            // A disk that fails or a file that is in use may be well later, when a service manager starts the program again.
            return e is IOException and not (FileNotFoundException or DirectoryNotFoundException) ? ExitCode.Failure : ExitCode.Usage;
        }

        bool json = parse.GetValue(_json);
        PlainConsoleLogger log = new(json ? error : output, TimeProvider.System);
        AgentOptions options = new() { Rounds = parse.GetValue(_rounds), UntilIdle = parse.GetValue(_untilIdle) };
        await using GrpcServerLink link = opened;
        using ModelCache models = cache;
        StateFolder? state = parse.GetValue(_state) is { } folder ? new StateFolder(folder) : null;
        using DeviceIdentity? enrolled = device.Enrolled;
        using DeviceSigningKey? signing = enrollment?.SigningKey;
        using DeviceVerifyingKey? serverKey = enrollment?.ServerKey;
        ClientSession? session = null;
        using PolicyGuard? guard = policy is null
            ? null
            : new PolicyGuard(
                policy,
                new DeviceSensors("/", () => DiskSpace.FreeBytes(state?.Path ?? Path.GetTempPath())).Read,
                state?.Day,
                (refusal, ct) => session!.WithholdAsync(refusal.Reason, refusal.Detail, ct),
                TimeProvider.System,
                log);
        using CancellationTokenSource updated = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using NewerProgram? newer = parse.GetValue(_exitWhenUpdated) && Environment.ProcessPath is { } program
            ? new NewerProgram(program, updated.Cancel, TimeProvider.System)
            : null;
        session = new ClientSession(
            device.Identity,
            link,
            models,
            examples.Training,
            _session with
            {
                Engine = engine.Name,
                MaskedOnly = parse.GetValue(_maskedOnly),
                Personal = parse.GetValue(_personal) ? new PersonalModels(state!.Personal, examples.HeldOut, log) : null,
            },
            TimeProvider.System,
            newer,
            state is null ? null : DeviceMemory.In(state),
            enrollment,
            guard);
        List<IBeforeCheckIn> before = [];
        if (enrolled is not null)
        {
            before.Add(new CertificateRenewal(enrolled, device.Server, TimeProvider.System, log));
        }

        if (guard is not null)
        {
            before.Add(new PackageRoom(models));
            before.Add(guard);
        }

        before.Add(new ExampleRefresh(examples, log));
        DeviceHealth health = new(TimeProvider.System);
        Agent agent = new(device.Identity, session, options, TimeProvider.System, log, before);
        try
        {
            await using HealthEndpoint? endpoint = OpenHealth(parse, health, log);
            using ServiceNotifications? service = ServiceNotifications.Start(
                Environment.GetEnvironmentVariable("NOTIFY_SOCKET"), Environment.GetEnvironmentVariable("WATCHDOG_USEC"), TimeProvider.System);
            await agent.RunAsync(
                report =>
                {
                    health.Note(report);
                    if (json)
                    {
                        WriteJson(output, report);
                    }
                },
                health.Missed,
                updated.Token).ConfigureAwait(false);
            return ExitCode.Success;
        }
        catch (OperationCanceledException) when (updated.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            AgentLog.Updated(log);
            return ExitCode.Success;
        }
        catch (SocketException e)
        {
            await error.WriteLineAsync($"error: --health-port {parse.GetValue(_healthPort)} cannot be listened on: {e.Message}. Choose another.").ConfigureAwait(false);
            return ExitCode.Usage;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            await error.WriteLineAsync("Stopped.").ConfigureAwait(false);
            return ExitCode.Interrupted;
        }
        catch (ServerLinkException e)
        {
            await error.WriteLineAsync($"error: {FailureText.Of(e)}").ConfigureAwait(false);
            return ExitCode.Failure;
        }
    }

    private HealthEndpoint? OpenHealth(ParseResult parse, DeviceHealth health, PlainConsoleLogger log)
    {
        if (parse.GetValue(_healthPort) is not { } port)
        {
            return null;
        }

        HealthEndpoint endpoint = new(port, health);
        AgentLog.Listening(log, endpoint.Address);
        return endpoint;
    }

    private ModelCache OpenCache(ParseResult parse, ITrainingEngine engine, DevicePolicy? policy)
    {
        ModelCacheOptions options = new()
        {
            Folder = parse.GetValue(_state) is { } state ? new StateFolder(state).Packages : null,
            MaxFolderBytes = parse.GetValue(_cacheMebibytes) << 20,
            LeastFreeBytes = (policy?.MinFreeDiskMebibytes ?? 0) << 20,
            OnePackageInMemory = true,
            TrainingThreads = 1,
        };
        return new ModelCache(options, engine);
    }

    private Dictionary<string, string> Labels(ParseResult parse)
    {
        Dictionary<string, string> labels = new(StringComparer.Ordinal);
        foreach (string label in parse.GetValue(_labels) ?? [])
        {
            int equals = label.IndexOf('=', StringComparison.Ordinal);
            if (equals < 1 || !labels.TryAdd(label[..equals], label[(equals + 1)..]))
            {
                throw new FormatException($"The label '{label}' is not NAME=VALUE, or its name occurs twice.");
            }
        }

        return labels;
    }

    private static void WriteJson(TextWriter output, SessionReport report) =>
        output.WriteLine(JsonSerializer.Serialize(RoundLine.Of(report), RoundLineContext.Default.RoundLine));
}
