using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Federated.Client.Identity;
using Federated.EndToEnd.Tests.Scene;
using Federated.Testing;

namespace Federated.EndToEnd.Tests.Enrollment;

/// <summary>The client as a service: installed by its script, started as its unit says, watched, replaced and removed.</summary>
[System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
public sealed class ServiceTests(SecureServer server) : IClassFixture<SecureServer>, IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    private string Root => Path.Combine(_folder.Path, "root");

    private string Program => Path.Combine(Root, "opt", "federated-client", "federated-client");

    private string State => Path.Combine(Root, "var", "lib", "federated-client");

    [Fact]
    public async Task Script_InstallsEnrollsReplacesAndRemoves()
    {
        string package = Package();
        string spec = $"csv:path={Table()},label=y";
        string token = await server.TokenAsync("serviced");

        Assert.Equal(1, (await InstallAsync(package, "")).Code);
        (int code, string said) = await InstallAsync(package, token, "--server", server.Address.ToString(), "--data", spec);
        Assert.True(code == 0, said);
        Assert.Equal("serviced", StoredIdentity.Read(State)!.DeviceId);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(State));
        string settings = Path.Combine(Root, "etc", "federated-client");
        Assert.Contains($"FEDERATED_DATA={spec}\n", await File.ReadAllTextAsync(Path.Combine(settings, "client.env"), Cancelled), StringComparison.Ordinal);

        // Without a policy that forbids, as this machine may have anything; it is kept when the program is replaced.
        await File.WriteAllTextAsync(Path.Combine(settings, "policy.json"), "{}", Cancelled);
        await using ProgramRun client = StartAsUnitSays(spec);
        Uri health = new((await client.LineAsync("Health is answered at ")).Split(' ')[^1].TrimEnd('.'));
        using HttpClient http = new();
        using (JsonDocument line = JsonDocument.Parse(await http.GetStringAsync(health, Cancelled)))
        {
            Assert.Equal("well", line.RootElement.GetProperty("state").GetString());
        }

        Assert.Equal(System.Net.HttpStatusCode.MethodNotAllowed, (await http.PostAsync(health, null, Cancelled)).StatusCode);
        Assert.Equal(0, (await InstallAsync(package, "")).Code);
        Assert.Equal("{}", await File.ReadAllTextAsync(Path.Combine(settings, "policy.json"), Cancelled));

        Assert.Equal(0, await client.EndAsync());
        Assert.Contains("The program was replaced", client.Said, StringComparison.Ordinal);

        Assert.Equal(0, (await ScriptAsync(package, "uninstall.sh", "", "--root", Root)).Code);
        Assert.False(File.Exists(Program));
        Assert.NotNull(StoredIdentity.Read(State));
        Assert.Equal(0, (await ScriptAsync(package, "uninstall.sh", "", "--root", Root, "--purge")).Code);
        Assert.Empty(Directory.EnumerateFiles(Root, "*", SearchOption.AllDirectories));
    }

    /// <summary>A card is prepared in another machine: what its first boot needs is there. Accounts of another root can be made by the superuser only.</summary>
    [Fact]
    public async Task Script_BelowTheRootOfACard_LeavesAServiceThatItsFirstBootStarts()
    {
        string package = Package();
        string accounts = Directory.CreateDirectory(Path.Combine(Root, "etc")).FullName;
        if (Environment.IsPrivilegedProcess)
        {
            await File.WriteAllTextAsync(Path.Combine(accounts, "passwd"), "root:x:0:0::/root:/bin/sh\n", Cancelled);
            await File.WriteAllTextAsync(Path.Combine(accounts, "group"), "root:x:0:\n", Cancelled);
        }

        string token = await server.TokenAsync("carded");
        (int code, string said) = await InstallAsync(package, token, "--server", server.Address.ToString(), "--data", $"csv:path={Table()},label=y");

        Assert.True(code == 0, said);
        FileInfo wanted = new(Path.Combine(accounts, "systemd", "system", "multi-user.target.wants", "federated-client.service"));
        Assert.Equal("/etc/systemd/system/federated-client.service", wanted.LinkTarget);
        Assert.True(File.Exists(Root + wanted.LinkTarget));
        if (Environment.IsPrivilegedProcess)
        {
            Assert.Contains("\nfederated:", await File.ReadAllTextAsync(Path.Combine(accounts, "passwd"), Cancelled), StringComparison.Ordinal);
            Assert.Contains("\nfederated:", await File.ReadAllTextAsync(Path.Combine(accounts, "group"), Cancelled), StringComparison.Ordinal);
        }
        else
        {
            Assert.Contains("the user 'federated'", said, StringComparison.Ordinal);
        }

        Assert.Equal(0, (await ScriptAsync(package, "uninstall.sh", "", "--root", Root, "--purge")).Code);
        Assert.Null(new FileInfo(wanted.FullName).LinkTarget);
        if (Environment.IsPrivilegedProcess)
        {
            Assert.DoesNotContain("federated", await File.ReadAllTextAsync(Path.Combine(accounts, "passwd"), Cancelled), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Notifications_ReadyAliveAndStopping_ReachTheServiceManager()
    {
        using (await server.EnrollAsync("watched"))
        {
        }

        string path = Path.Combine(_folder.Path, "notify");
        using Socket manager = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        manager.Bind(new UnixDomainSocketEndPoint(path));
        await using ProgramRun client = ProgramRun.StartFile(
            "/usr/bin/env",
            $"NOTIFY_SOCKET={path}", "WATCHDOG_USEC=200000", NativeClient.FileOf("linux-x64"), "run", "--state", server.StateOf("watched"), "--data", $"csv:path={Table()},label=y");

        Assert.Equal("READY=1", await ReceiveAsync(manager));
        Assert.Equal("WATCHDOG=1", await ReceiveAsync(manager));
        Assert.Equal("WATCHDOG=1", await ReceiveAsync(manager));
        client.Terminate();

        string last;
        do
        {
            last = await ReceiveAsync(manager);
        }
        while (last == "WATCHDOG=1");

        Assert.Equal("STOPPING=1", last);
        Assert.Equal(130, await client.EndAsync());
    }

    public void Dispose() => _folder.Dispose();

    /// <summary>What <c>docs/DEPLOY.md</c> has a person pack.</summary>
    private string Package()
    {
        string package = Directory.CreateDirectory(Path.Combine(_folder.Path, "package")).FullName;
        string program = NativeClient.FileOf("linux-x64");
        foreach (string file in Directory.EnumerateFiles(Path.GetDirectoryName(program)!).Concat(Directory.EnumerateFiles(Path.Combine(RepositoryRoot.Find(), "deploy"))))
        {
            File.Copy(file, Path.Combine(package, Path.GetFileName(file)));
        }

        return package;
    }

    private string Table() => _folder.Write("table.csv", "a,b,y\n1,2,0\n3,4,1\n"u8.ToArray());

    /// <summary>The unit's command, with its folders below the root and a free port.</summary>
    private ProgramRun StartAsUnitSays(string spec)
    {
        string unit = File.ReadAllText(Path.Combine(Root, "etc", "systemd", "system", "federated-client.service"));
        string command = unit.Split('\n').Single(line => line.StartsWith("ExecStart=", StringComparison.Ordinal))["ExecStart=".Length..];
        string[] words = [.. command.Split(' ').Select(word => word
            .Replace("${FEDERATED_DATA}", spec, StringComparison.Ordinal)
            .Replace("${FEDERATED_HEALTH_PORT}", "0", StringComparison.Ordinal))];
        string[] below = [.. words.Select(word => word.StartsWith("/opt/", StringComparison.Ordinal) || word.StartsWith("/etc/", StringComparison.Ordinal) || word.StartsWith("/var/", StringComparison.Ordinal)
            ? Root + word
            : word)];
        return ProgramRun.StartFile(below[0], below[1..]);
    }

    private Task<(int Code, string Said)> InstallAsync(string package, string token, params string[] arguments) =>
        ScriptAsync(package, "install.sh", token, ["--root", Root, .. arguments]);

    private static async Task<(int Code, string Said)> ScriptAsync(string package, string script, string input, params string[] arguments)
    {
        ProcessStartInfo start = new("bash", [Path.Combine(package, script), .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using Process process = Process.Start(start)!;
        await process.StandardInput.WriteLineAsync(input);
        process.StandardInput.Close();
        Task<string> output = process.StandardOutput.ReadToEndAsync(Cancelled);
        string errors = await process.StandardError.ReadToEndAsync(Cancelled);
        await process.WaitForExitAsync(Cancelled);
        return (process.ExitCode, await output + errors);
    }

    private static async Task<string> ReceiveAsync(Socket socket)
    {
        byte[] datagram = new byte[256];
        int length = await socket.ReceiveAsync(datagram, Cancelled).AsTask().WaitAsync(Eventually.Deadline, Cancelled);
        return Encoding.ASCII.GetString(datagram, 0, length);
    }
}
