namespace Federated.Server.Grains;

/// <summary>How the keys of grains are made of the names they stand for. Identifiers hold no slash, so keys cannot collide.</summary>
internal static class GrainKeys
{
    public static string Round(string jobId, long round) => $"{jobId}/{round}";

    /// <summary>The plain path folds a round in one group, number 0.</summary>
    public static string Aggregator(string jobId, long round) => Group(jobId, round, 0);

    public static string Group(string jobId, long round, int group) => $"{jobId}/{round}/{group}";
}
