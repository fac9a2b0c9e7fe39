using Federated.Server.Rounds;

namespace Federated.Server.Telemetry;

/// <summary>The phases of rounds and of devices' parts in them, by the names that metrics and traces give them.</summary>
internal static class RoundPhases
{
    /// <summary>The phases of a round in their order.</summary>
    public static (string Phase, double Seconds)[] Of(RoundTiming timing) =>
    [
        ("select", timing.SelectSeconds), ("collect", timing.CollectSeconds), ("commit", timing.CommitSeconds), ("evaluate", timing.EvaluateSeconds),
    ];

    /// <summary>The phases of a device's part in their order, without training where a device does not tell it; none before its submission, from which they are known.</summary>
    public static (string Phase, double Seconds)[] Of(ClientTimeline client) => client.UploadStartedAt is null
        ? []
        :
        [
            ("download", client.DownloadSeconds),
            .. client.ToldComputeSeconds is { } trained ? [("train", trained)] : Array.Empty<(string, double)>(),
            ("encode", client.EncodeSeconds),
            ("other", client.OtherSeconds ?? 0),
            ("upload", client.UploadSeconds ?? 0),
        ];
}
