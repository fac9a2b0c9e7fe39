namespace Federated.Server.Storage;

/// <summary>Names under which storage is registered and laid out.</summary>
public static class StorageNames
{
    /// <summary>The grain storage.</summary>
    public const string Grains = "federated";

    /// <summary>Blob of a round's record.</summary>
    public static string RoundRecord(string jobId, long round) => $"jobs/{jobId}/rounds/{round:D8}.json";

    /// <summary>All round records of a job.</summary>
    public static string RoundRecords(string jobId) => $"jobs/{jobId}/rounds/";

    /// <summary>Blob of a round's timeline. Not beside the records, whose folder is read as a whole.</summary>
    public static string RoundTimeline(string jobId, long round) => $"jobs/{jobId}/timelines/{round:D8}.json";

    /// <summary>Checkpoint of a committed model version.</summary>
    public static string Checkpoint(string jobId, long version) => $"jobs/{jobId}/checkpoints/{version:D8}";
}
