using Federated.Server.Jobs;
using Orleans.Serialization;

namespace Federated.Server.Hosting;

/// <summary>How grain calls carry what is also part of the HTTP API: as the same JSON.</summary>
internal static class GrainSerialization
{
    /// <summary>Adds the serializer that every process which hosts or calls the grains needs.</summary>
    public static IServiceCollection AddGrainSerialization(this IServiceCollection services) =>
        services.AddSerializer(serializer => serializer.AddJsonSerializer(
            type => type.Namespace is "Federated.Server.Jobs" or "Federated.Server.Rounds", RoundRecords.Json));
}
