using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Federated.Shared.Protocol;
using Microsoft.ML.OnnxRuntime;

namespace Federated.Client.Cli;

/// <summary>What <c>--version</c> prints: what somebody who looks into a device's failure asks first.</summary>
internal static class VersionText
{
    // Of everything a processor lists, what the engine and the cryptography choose their code by.
    private static readonly string[] _telling =
    [
        "asimd", "asimdhp", "asimddp", "fphp", "bf16", "i8mm", "sve", "sve2", "aes", "sha2", "pmull",
        "sse4_2", "avx", "avx2", "fma", "f16c", "avx512f", "avx512_vnni", "avx_vnni", "amx_tile", "sha_ni",
    ];

    /// <summary>Version and protocol, build, engine, processor: a line each.</summary>
    public static string Describe()
    {
        string version = typeof(VersionText).Assembly.GetName().Version?.ToString(3) ?? "unknown";
        string build = RuntimeFeature.IsDynamicCodeSupported ? $"on {RuntimeInformation.FrameworkDescription}" : "native";
        return string.Create(CultureInfo.InvariantCulture, $"""
            federated-client {version}, protocol {ProtocolLimits.Version}
            build: {RuntimeInformation.RuntimeIdentifier}, {build}
            engine: {Engine()}
            processor: {Processor(File.Exists("/proc/cpuinfo") ? File.ReadLines("/proc/cpuinfo") : [])}
            """);
    }

    /// <summary>Cores and telling features of a <c>/proc/cpuinfo</c>.</summary>
    public static string Processor(IEnumerable<string> lines)
    {
        HashSet<string> features = new(StringComparer.Ordinal);
        foreach (string line in lines)
        {
            int colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon > 0 && line[..colon].Trim() is "flags" or "Features")
            {
                features.UnionWith(line[(colon + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries));
            }
        }

        string[] known = [.. _telling.Where(features.Contains)];
        return $"{RuntimeInformation.ProcessArchitecture}, {Environment.ProcessorCount} cores, {(known.Length > 0 ? string.Join(' ', known) : "no features known")}";
    }

    private static string Engine()
    {
        try
        {
            return $"ONNX Runtime {OrtEnv.Instance().GetVersionString()}";
        }
        catch (Exception e) when (e is DllNotFoundException or TypeInitializationException or EntryPointNotFoundException)
        {
            return "ONNX Runtime cannot be loaded: libonnxruntime.so has to lie beside the program";
        }
    }
}
