using Federated.Server.Storage.Tests.Storage;
using Xunit.MicrosoftTestingPlatform;
using Xunit.Runner.InProc.SystemConsole;

namespace Federated.Server.Storage.Tests;

/// <summary>Runs the tests, or, when a crash test asks for it, the writer that is killed.</summary>
internal static class Program
{
    private static async Task<int> Main(string[] args) => args switch
    {
        [CrashWriter.Command, string folder] => await CrashWriter.Run(folder),
        _ when args.Contains("--server") || args.Contains("--internal-msbuild-node") =>
            await TestPlatformTestFramework.RunAsync(args, SelfRegisteredExtensions.AddSelfRegisteredExtensions),
        _ => await ConsoleRunner.Run(args),
    };
}
