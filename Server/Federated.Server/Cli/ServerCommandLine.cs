using System.CommandLine;
using System.CommandLine.Parsing;
using System.Net;
using System.Text.Json.Nodes;
using Federated.Server.Api;
using Federated.Server.Hosting;
using Federated.Server.Identity;
using Federated.Server.Jobs;
using Federated.Server.Storage;
using Federated.Shared.SecureAggregation;

namespace Federated.Server.Cli;

/// <summary>The server's verbs. Exit codes: 0 done, 1 failed, here or on the server's side, 2 bad input or refused by the server, 130 interrupted.</summary>
internal static class ServerCommandLine
{
    private static readonly Option<Uri> _server = new("--server")
    {
        Description = "Address of the server's HTTP API.",
        DefaultValueFactory = _ => new Uri("http://localhost:5400/"),
        CustomParser = ParseAddress,
    };

    private const string ServeVerb = "serve";

    // Its calls under way, then the silo and the store.
    private static readonly TimeSpan _serveStopsWithin = FederatedServer.ShutdownTimeout + TimeSpan.FromSeconds(15);

    // Every other verb only has to give its wait up.
    private static readonly TimeSpan _callStopsWithin = TimeSpan.FromSeconds(2);

    private static readonly Option<bool> _json = new("--json") { Description = "Print JSON and nothing else on standard output." };

    /// <summary>How long a verb may take to end after Ctrl-C or a termination signal; then the process ends without it.</summary>
    public static TimeSpan StopsWithin(ParseResult parsed) => parsed.CommandResult.Command.Name == ServeVerb ? _serveStopsWithin : _callStopsWithin;

    /// <summary>Reads the value of an option that is an address, as <c>--server</c>.</summary>
    public static Uri? ParseAddress(ArgumentResult result)
    {
        string text = result.Tokens.Count == 1 ? result.Tokens[0].Value : "";
        if (Uri.TryCreate(text, UriKind.Absolute, out Uri? address) && (address.Scheme == Uri.UriSchemeHttp || address.Scheme == Uri.UriSchemeHttps))
        {
            return address;
        }

        result.AddError($"{(result.Parent as OptionResult)?.Option.Name} is '{text}'; allowed is an address like http://HOST:PORT/.");
        return null;
    }

    /// <summary>The whole command tree.</summary>
    public static RootCommand Build()
    {
        RootCommand root = new("Federated server: coordinates rounds of federated training.");
        root.Options.Add(AccessArguments.TokenFile);
        root.Subcommands.Add(Serve());
        root.Subcommands.Add(Jobs());
        root.Subcommands.Add(RoundsCommand.Build(_server, _json, new ApiRun()));
        root.Subcommands.Add(DevicesCommand.Build(_server, _json, new ApiRun()));
        root.Subcommands.Add(AccessCommand.Build(_server, _json, new ApiRun()));
        root.Subcommands.Add(Models());
        root.Subcommands.Add(Schema());
        return root;
    }

    private static Command Serve()
    {
        Option<DirectoryInfo> storage = new("--storage")
        {
            Description = "Folder for everything durable.",
            DefaultValueFactory = _ => new DirectoryInfo("federated-store"),
        };
        Option<string?> azure = new("--azure-connection") { Description = "Azure Blob Storage connection string; replaces --storage." };
        Option<string> container = new("--azure-container") { Description = "Container for --azure-connection.", DefaultValueFactory = _ => "federated" };
        Option<int> directMinutes = new("--direct-downloads-minutes")
        {
            Description = "With --azure-connection: devices read models straight from the store, from addresses that hold so many minutes, 1 to 60; 0 for none.",
        };
        Option<string> address = new("--address") { Description = "IP address that the port for devices listens on.", DefaultValueFactory = _ => "127.0.0.1" };
        Option<string> apiAddress = new("--api-address")
        {
            Description = "IP address that the HTTP API and the dashboard listen on; off loopback they demand access.",
            DefaultValueFactory = _ => "127.0.0.1",
        };
        Option<bool> insecure = new("--insecure-loopback") { Description = "Take devices in clear text and without enrollment, on loopback only." };
        Option<DirectoryInfo?> authority = new("--authority") { Description = "Folder of the authority's authority.key and authority.crt (PEM); 'authority' in the store unless given." };
        Option<string[]> names = new("--tls-name") { Description = "A further name or address in the server's certificate; may be given several times." };
        Option<double> certificateDays = new("--certificate-days") { Description = "How long a device's certificate holds.", DefaultValueFactory = _ => 90 };
        Option<bool> withoutStatistics = new("--without-statistics") { Description = "Keep no timelines, events and metrics; for measuring what they cost.", Hidden = true };
        Option<Uri?> otlp = new("--otlp")
        {
            Description = "Address of an OpenTelemetry collector that metrics and traces are sent to: port 4317 for gRPC, 4318 for HTTP.",
            CustomParser = ParseAddress,
        };
        Option<int> grpcPort = new("--grpc-port") { Description = "Port of the device protocol; 0 takes a free one.", DefaultValueFactory = _ => 5401 };
        Option<int> apiPort = new("--api-port") { Description = "Port of the HTTP API; 0 takes a free one.", DefaultValueFactory = _ => 5400 };
        Option<int> threads = new("--threads") { Description = "Threads for evaluation.", DefaultValueFactory = _ => Environment.ProcessorCount };
        Option<FileInfo?> deviceKeys = new("--device-keys")
        {
            Description = "JSON file of the devices that may take part in secure aggregation: identifier and public key of each. Without it, all enrolled devices.",
        };
        Command command = new(ServeVerb, "Run the server until it is stopped.")
        {
            storage, azure, container, directMinutes, address, apiAddress, grpcPort, apiPort, insecure, authority, names, certificateDays, threads, deviceKeys, _json,
            AccessArguments.RequireAccess, AccessArguments.OperatorTokenFile, AccessArguments.ViewerTokenFile, AccessArguments.OpenIdConnect,
            AccessArguments.ApiCertificate, AccessArguments.ApiKey, AccessArguments.ApiPublicUrl, otlp, withoutStatistics,
        };
        command.SetAction((parsed, ct) => ServeCommand.RunAsync(
            new ServerOptions
            {
                Address = AddressOf(parsed, address),
                ApiAddress = AddressOf(parsed, apiAddress),
                ApiCertificate = AccessArguments.CertificateOf(parsed),
                ApiPublicAddress = parsed.GetValue(AccessArguments.ApiPublicUrl),
                Access = AccessArguments.OptionsOf(parsed),
                Statistics = !parsed.GetValue(withoutStatistics),
                Telemetry = new Telemetry.TelemetryOptions { OtlpEndpoint = parsed.GetValue(otlp) },
                Identity = new IdentityOptions
                {
                    InsecureLoopback = parsed.GetValue(insecure),
                    AuthorityFolder = parsed.GetValue(authority)?.FullName,
                    ServerNames = parsed.GetValue(names) ?? [],
                    CertificateLifetime = parsed.GetValue(certificateDays) is > 0 and <= 3650 and var days
                        ? TimeSpan.FromDays(days)
                        : throw new CommandException($"--certificate-days is {parsed.GetValue(certificateDays)}; allowed is more than 0, up to 3650."),
                },
                GrpcPort = Port(parsed, grpcPort),
                ApiPort = Port(parsed, apiPort),
                Threads = ThreadsOf(parsed, threads),
                Devices = parsed.GetValue(deviceKeys) is { } file ? ReadKeys(file) : null,
                Storage = parsed.GetValue(azure) is { } connection
                    ? new StorageOptions { Kind = StorageKind.Azure, ConnectionString = connection, Container = parsed.GetValue(container)!, DirectDownloadMinutes = parsed.GetValue(directMinutes) }
                    : new StorageOptions { Kind = StorageKind.Files, Path = parsed.GetValue(storage)!.FullName, DirectDownloadMinutes = parsed.GetValue(directMinutes) },
            },
            parsed.GetValue(_json),
            ct));
        return command;
    }

    private static int Port(ParseResult parsed, Option<int> option) => parsed.GetValue(option) is >= 0 and <= 65535 and var port
        ? port
        : throw new CommandException($"{option.Name} is {parsed.GetValue(option)}; allowed is 0 to 65535, where 0 takes a free one.");

    private static int ThreadsOf(ParseResult parsed, Option<int> option) => parsed.GetValue(option) is >= 1 and <= ServerOptions.MaxThreads and var threads
        ? threads
        : throw new CommandException($"{option.Name} is {parsed.GetValue(option)}; allowed is 1 to {ServerOptions.MaxThreads}.");

    private static EnrolledDevices ReadKeys(FileInfo file)
    {
        try
        {
            return DeviceKeyFile.Read(file.FullName);
        }
        catch (Exception e) when (e is IOException or InvalidDataException or UnauthorizedAccessException)
        {
            throw new CommandException($"--device-keys: {e.Message}");
        }
    }

    private static IPAddress AddressOf(ParseResult parsed, Option<string> option) => IPAddress.TryParse(parsed.GetValue(option), out IPAddress? ip)
        ? ip
        : throw new CommandException($"{option.Name} '{parsed.GetValue(option)}' is not an IP address. Use 127.0.0.1, 0.0.0.0 or one of this machine's.");

    private static Command Jobs()
    {
        Argument<FileInfo> file = new("file") { Description = "Job spec, a JSON file; see 'schema'." };
        Option<string[]> set = new("--set") { Description = "Override a key of the spec, for example --set rounds=20." };
        Argument<string> id = new("job") { Description = "The job's identifier." };

        Command submit = new("submit", "Submit a job spec.") { file, set, _server, _json };
        submit.SetAction((parsed, ct) => WithServer(parsed, async api =>
        {
            FileInfo spec = parsed.GetValue(file)!;
            string text = spec.Exists
                ? await File.ReadAllTextAsync(spec.FullName, ct)
                : throw new CommandException($"There is no file '{spec.FullName}'.");
            JsonNode root = StrictJson.Parse(text);
            foreach (string assignment in parsed.GetValue(set) ?? [])
            {
                StrictJson.ApplyOverride(root, assignment);
            }

            return await api.SubmitJobAsync(root.ToJsonString(), ct);
        }, JobTable.Print));

        Command list = new("list", "List all jobs.") { _server, _json };
        list.SetAction((parsed, ct) => WithServer(parsed, api => api.JobsAsync(ct), JobTable.PrintAll));
        Command show = new("show", "Show a job and its rounds.") { id, _server, _json };
        show.SetAction((parsed, ct) => WithServer(
            parsed,
            async api => new JobWithRounds(
                await api.GetJobAsync(parsed.GetValue(id)!, ct), await api.RoundsAsync(parsed.GetValue(id)!, 0, TimeSpan.Zero, ct)),
            JobTable.PrintRounds));

        return new Command("jobs", "Submit, watch and steer jobs.")
        {
            submit,
            list,
            show,
            WatchCommand.Build(_server, _json),
            ReportCommand.Build(_server),
            Steer("pause", "Begin no new round.", (api, job, ct) => api.PauseJobAsync(job, ct)),
            Steer("resume", "Go on after a pause.", (api, job, ct) => api.ResumeJobAsync(job, ct)),
            Steer("cancel", "End the job; its model stays.", (api, job, ct) => api.CancelJobAsync(job, ct)),
        };
    }

    private static Command Steer(string verb, string what, Func<ServerApiClient, string, CancellationToken, Task<JobStatus>> call)
    {
        Argument<string> id = new("job") { Description = "The job's identifier." };
        Command command = new(verb, what) { id, _server, _json };
        command.SetAction((parsed, ct) => WithServer(parsed, api => call(api, parsed.GetValue(id)!, ct), JobTable.Print));
        return command;
    }

    private static Command Models()
    {
        Command list = new("list", "List the models of all jobs.") { _server, _json };
        list.SetAction((parsed, ct) => WithServer(parsed, api => api.ModelsAsync(ct), JobTable.PrintModels));
        Argument<string> job = new("job") { Description = "The job's identifier." };
        Command versions = new("versions", "List the versions of a job's model.") { job, _server, _json };
        versions.SetAction((parsed, ct) => WithServer(parsed, api => api.ModelVersionsAsync(parsed.GetValue(job)!, ct), JobTable.PrintVersions));
        return new Command("models", "Import, look at, try, cost and export models.")
        {
            list,
            versions,
            ModelsCommand.Import(_json),
            ModelsCommand.Inspect(_json),
            ExportCommand.Build(_server, _json),
            GenerateCommand.Build(_server, _json),
            CostCommand.Build(_json),
        };
    }

    private static Command Schema()
    {
        Command command = new("schema", "Print the JSON Schema of a job spec.");
        command.SetAction(parsed =>
        {
            Console.Out.WriteLine(JobSchema.Text);
            return 0;
        });
        return command;
    }

    private static async Task<int> WithServer<T>(ParseResult parsed, Func<ServerApiClient, Task<T>> call, Action<T> print)
    {
        using ServerApiClient api = AccessArguments.ClientOf(parsed, parsed.GetValue(_server)!);
        T result = await call(api);
        if (parsed.GetValue(_json))
        {
            Console.Out.WriteLine(System.Text.Json.JsonSerializer.Serialize(result, RoundRecords.Json));
        }
        else
        {
            print(result);
        }

        return 0;
    }

    private sealed class ApiRun : IApiRun
    {
        public Task<int> RunAsync<T>(ParseResult parsed, Func<ServerApiClient, Task<T>> call, Action<T> print) => WithServer(parsed, call, print);
    }
}
