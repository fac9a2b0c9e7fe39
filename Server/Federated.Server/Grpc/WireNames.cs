using Federated.Shared.Protos;
using Google.Protobuf.Reflection;

namespace Federated.Server.Grpc;

/// <summary>Names of wire enums as statistics and people see them: the proto name without its prefix, in lower case with hyphens.</summary>
internal static class WireNames
{
    private static readonly Dictionary<AbortReason, string> _aborts = Names<AbortReason>(DevicesReflection.Descriptor, "AbortReason", "ABORT_REASON_");

    private static readonly Dictionary<PolicyReason, string> _policies = Names<PolicyReason>(DevicesReflection.Descriptor, "PolicyReason", "POLICY_REASON_");

    private static readonly Dictionary<SubmitOutcome, string> _outcomes =
        Names<SubmitOutcome>(UpdatesReflection.Descriptor, "SubmitOutcome", "SUBMIT_OUTCOME_");

    /// <summary>The name of a reason; an unknown number is shown as such.</summary>
    public static string Of(AbortReason reason) => _aborts.GetValueOrDefault(reason, $"reason-{(int)reason}");

    /// <summary>The name of a demand of a device's policy; an unknown number is shown as such.</summary>
    public static string Of(PolicyReason reason) => _policies.GetValueOrDefault(reason, $"reason-{(int)reason}");

    /// <summary>The name of an outcome.</summary>
    public static string Of(SubmitOutcome outcome) => _outcomes[outcome];

    private static Dictionary<T, string> Names<T>(FileDescriptor file, string type, string prefix)
        where T : struct, Enum =>
        file.EnumTypes.Single(e => e.Name == type).Values.ToDictionary(
            value => (T)(object)value.Number,
            value => value.Name[prefix.Length..].ToLowerInvariant().Replace('_', '-'));
}
