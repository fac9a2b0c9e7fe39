using System.Diagnostics.CodeAnalysis;
using Federated.Server.Jobs;
using Federated.Server.Rounds;
using Orleans.Serialization;
using Orleans.Serialization.Cloning;

namespace Federated.Server.Hosting;

/// <summary>How grain calls carry what is also part of the HTTP API: as the same JSON, and within a process as it is.</summary>
internal static class GrainSerialization
{
    /// <summary>Adds the serializer that every process which hosts or calls the grains needs.</summary>
    public static IServiceCollection AddGrainSerialization(this IServiceCollection services) => services
        .AddSingleton<IGeneralizedCopier, HandedOver>()
        .AddSerializer(serializer => serializer.AddJsonSerializer(
            IsCarriedAsJson,
            type => IsCarriedAsJson(type) && !HandedOver.NeverChanges(type),
            options => options.Configure(codec => codec.SerializerOptions = RoundRecords.Json)));

    private static bool IsCarriedAsJson(Type type) => type.Namespace is "Federated.Server.Jobs" or "Federated.Server.Rounds";

    /// <summary>
    /// Records of rounds and states of jobs never change, so callers in the same process share them. A copy of a record, which names all contributors, would be written and read as JSON
    /// for every page that looks at it.
    /// </summary>
    private sealed class HandedOver : IGeneralizedCopier
    {
        public static bool NeverChanges(Type type) => type == typeof(RoundRecord) || type == typeof(JobStatus);

        public bool IsSupportedType(Type type) => NeverChanges(type);

        [return: NotNullIfNotNull(nameof(input))]
        public object? DeepCopy(object? input, CopyContext context) => input;
    }
}
