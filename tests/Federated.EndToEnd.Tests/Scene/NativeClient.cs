using Federated.Testing;

namespace Federated.EndToEnd.Tests.Scene;

/// <summary>
/// The native programs that <c>tools/publish-client.sh --qemu</c> made, as devices run them: that of another processor under emulation.
/// </summary>
internal static class NativeClient
{
    private static readonly string[] _sources = ["Client", "Shared/Federated.Shared", "Shared/Federated.Training"];
    private static readonly string _artifacts = Path.Combine(RepositoryRoot.Find(), "artifacts");

    /// <summary>Starts the program of this machine's processor.</summary>
    public static ProgramRun StartX64(params IEnumerable<string> arguments) => ProgramRun.StartFile(FileOf("linux-x64"), arguments);

    /// <summary>Starts the program of Raspberry Pi and Jetson under qemu.</summary>
    public static ProgramRun StartArm64(params IEnumerable<string> arguments) =>
        ProgramRun.StartFile("qemu-aarch64", ["-L", Path.Combine(_artifacts, "arm64-root"), FileOf("linux-arm64"), .. arguments]);

    /// <summary>The published program; it must not be older than what it is made of.</summary>
    public static string FileOf(string target)
    {
        string file = Path.Combine(_artifacts, "client", target, "federated-client");
        DateTime made = File.GetLastWriteTimeUtc(file);
        string? newer = _sources
            .SelectMany(folder => Directory.EnumerateFiles(Path.Combine(RepositoryRoot.Find(), folder), "*.cs", SearchOption.AllDirectories))
            .FirstOrDefault(source => !source.Contains("/obj/", StringComparison.Ordinal) && File.GetLastWriteTimeUtc(source) > made);
        Assert.True(newer is null, $"'{file}' is missing or older than '{newer}'. Run tools/publish-client.sh --qemu --if-changed.");
        return file;
    }
}
