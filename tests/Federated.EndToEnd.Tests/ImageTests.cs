using System.Text.Json;
using System.Text.RegularExpressions;
using Federated.EndToEnd.Tests.Scene;
using Federated.Testing;
using YamlDotNet.RepresentationModel;

namespace Federated.EndToEnd.Tests;

/// <summary>
/// The files in <c>docker/</c>, as far as they can be tried without a Docker daemon: they are read, what they copy, run and mount is compared with what there is, and the
/// programs that the images start are started with the images' very commands.
/// </summary>
public sealed partial class ImageTests
{
    private static readonly string[] _instructions = ["FROM", "ARG", "WORKDIR", "COPY", "RUN", "USER", "VOLUME", "EXPOSE", "ENTRYPOINT", "CMD", "ENV", "LABEL", "HEALTHCHECK"];

    private static string Folder => Path.Combine(RepositoryRoot.Find(), "docker");

    public static TheoryData<string> Dockerfiles => ["server.Dockerfile", "client.Dockerfile"];

    [Theory]
    [MemberData(nameof(Dockerfiles))]
    public void Dockerfile_LastStage_RunsWithoutRootOnASmallBase(string file)
    {
        (string Instruction, string Text)[] lines = Read(file);
        Assert.Equal("FROM", lines[0].Instruction);
        Assert.All(lines, line => Assert.Contains(line.Instruction, _instructions));
        (string Instruction, string Text)[] last = [.. lines.Skip(Array.FindLastIndex(lines, line => line.Instruction == "FROM"))];

        Assert.Contains("chiseled", last[0].Text, StringComparison.Ordinal);
        Assert.DoesNotContain(":latest", last[0].Text, StringComparison.Ordinal);
        string user = Assert.Single(last, line => line.Instruction == "USER").Text;
        Assert.Equal("$APP_UID", user);
        Assert.True(Array.FindIndex(last, line => line.Instruction == "USER") < Array.FindIndex(last, line => line.Instruction == "ENTRYPOINT"));

        // A chiselled base has no shell: nothing can be run there, and commands must be lists.
        Assert.DoesNotContain(last, line => line.Instruction == "RUN");
        Assert.All(last.Where(line => line.Instruction is "ENTRYPOINT" or "CMD"), line => Assert.NotEmpty(Words(line.Text)));

        // A folder that only root may write would make a volume of no use.
        string volume = Assert.Single(last, line => line.Instruction == "VOLUME").Text;
        Assert.Contains(last, line => line.Instruction == "COPY" && line.Text.Contains("--chown=$APP_UID", StringComparison.Ordinal) && line.Text.EndsWith(volume, StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Dockerfiles))]
    public void Dockerfile_Publishes_AProjectThatIsThere(string file)
    {
        string run = Read(file).First(line => line.Instruction == "RUN").Text;
        string project = PublishedProject().Match(run).Groups[1].Value;

        Assert.True(Directory.Exists(Path.Combine(RepositoryRoot.Find(), project)), $"{file} publishes '{project}'.");
        Assert.True(File.Exists(Path.Combine(Folder, file + ".dockerignore")));
    }

    [Theory]
    [InlineData("server.Dockerfile", "Federated.Server")]
    [InlineData("client.Dockerfile", "Federated.Client")]
    public async Task Entrypoint_WithHelp_Starts(string file, string program)
    {
        string[] entry = Words(Read(file).Last(line => line.Instruction == "ENTRYPOINT").Text);
        Assert.Equal(["dotnet", $"{program}.dll"], entry);

        (int code, string output) = await ProgramRun.RunAsync(program, "--help");

        Assert.Equal(0, code);
        Assert.NotEmpty(output);
    }

    [Fact]
    public async Task ServerCommand_OfTheImage_Serves()
    {
        using TemporaryFolder store = new();
        string[] command = Words(Read("server.Dockerfile").Last(line => line.Instruction == "CMD").Text);
        Assert.Equal("/store", command[^1]);
        command[^1] = store.Path;

        await using ProgramRun run = ProgramRun.Start("Federated.Server", [.. command, "--grpc-port", "0", "--api-port", "0", "--json"]);

        using JsonDocument line = JsonDocument.Parse(await run.FirstLineAsync());
        Assert.StartsWith("https://", line.RootElement.GetProperty("grpc").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Compose_EveryService_IsWhole()
    {
        YamlStream stream = [];
        stream.Load(new YamlDotNet.Core.MergingParser(new YamlDotNet.Core.Parser(new StringReader(File.ReadAllText(Path.Combine(Folder, "compose.yaml"))))));
        YamlMappingNode root = (YamlMappingNode)stream.Documents[0].RootNode;
        YamlMappingNode services = (YamlMappingNode)root["services"];
        string[] names = [.. services.Children.Keys.Select(key => key.ToString())];
        string[] volumes = [.. ((YamlMappingNode)root["volumes"]).Children.Keys.Select(key => key.ToString())];
        Assert.Equal(3, names.Count(name => name.StartsWith("client-", StringComparison.Ordinal)));
        foreach (string name in names)
        {
            YamlMappingNode service = (YamlMappingNode)services[name];
            if (service.Children.TryGetValue("build", out YamlNode? build))
            {
                Assert.True(File.Exists(Path.Combine(RepositoryRoot.Find(), build["dockerfile"].ToString())), $"{name} builds '{build["dockerfile"]}'.");
            }

            // Also after a reboot, and after an end that was no failure.
            Assert.Equal("unless-stopped", service["restart"].ToString());
            if (service.Children.TryGetValue("depends_on", out YamlNode? needed))
            {
                Assert.All(needed.AllNodes.OfType<YamlScalarNode>(), node => Assert.Contains(node.Value, names));
            }

            if (service.Children.TryGetValue("volumes", out YamlNode? mounted))
            {
                Assert.All(mounted.AllNodes.OfType<YamlScalarNode>(), node => Assert.True(node.Value!.StartsWith('.') || volumes.Contains(node.Value.Split(':')[0]), node.Value));
            }

            if (service.Children.TryGetValue("ports", out YamlNode? ports))
            {
                // Whoever reaches the API steers the server.
                Assert.All(ports.AllNodes.OfType<YamlScalarNode>(), node => Assert.StartsWith("127.0.0.1:", node.Value, StringComparison.Ordinal));
            }
        }
    }

    [Theory]
    [InlineData("server", "Federated.Server")]
    [InlineData("client-1", "Federated.Client")]
    public async Task Compose_Command_HasOnlyOptionsThatTheProgramKnows(string service, string program)
    {
        YamlStream stream = [];
        stream.Load(new StringReader(await File.ReadAllTextAsync(Path.Combine(Folder, "compose.yaml"), TestContext.Current.CancellationToken)));
        string[] command = [.. stream.Documents[0].RootNode["services"][service]["command"].AllNodes.OfType<YamlScalarNode>().Select(node => node.Value!)];

        (int code, string help) = await ProgramRun.RunAsync(program, command[0], "--help");

        Assert.Equal(0, code);
        Assert.All(command.Where(word => word.StartsWith("--", StringComparison.Ordinal)), option => Assert.Contains(option, help, StringComparison.Ordinal));
    }

    private static (string Instruction, string Text)[] Read(string file) =>
    [
        .. File.ReadAllText(Path.Combine(Folder, file)).Replace("\\\n", " ", StringComparison.Ordinal).Split('\n')
            .Where(line => line.Length > 0 && !line.StartsWith('#'))
            .Select(line => line.Split(' ', 2))
            .Select(parts => (parts[0], parts[1].Trim())),
    ];

    private static string[] Words(string list) => JsonSerializer.Deserialize<string[]>(list)!;

    [GeneratedRegex("dotnet publish (\\S+)")]
    private static partial Regex PublishedProject();
}
