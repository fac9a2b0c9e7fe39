using BenchmarkDotNet.Running;

namespace Federated.Benchmarks;

/// <summary>Runs the benchmarks named on the command line: <c>dotnet run -c Release --project tests/Federated.Benchmarks -- --filter '*'</c>.</summary>
internal static class Program
{
    private static void Main(string[] arguments) => BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(arguments);
}
