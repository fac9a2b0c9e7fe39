using Federated.Server.Rounds;

namespace Federated.Server.Dashboard;

/// <summary>A stretch of a device's bar.</summary>
/// <param name="Tone">Class of its colour.</param>
/// <param name="Name">What the device did.</param>
/// <param name="FromSeconds">When it began, from the first assignment of the round.</param>
/// <param name="Seconds">How long it took.</param>
public sealed record WaterfallStretch(string Tone, string Name, double FromSeconds, double Seconds);

/// <summary>A device's bar.</summary>
/// <param name="Client">The device.</param>
/// <param name="Stretches">What it did, in order.</param>
/// <param name="EndSeconds">When its part ended, or now, from the first assignment of the round.</param>
public sealed record WaterfallRow(ClientTimeline Client, IReadOnlyList<WaterfallStretch> Stretches, double EndSeconds)
{
    /// <summary>The devices of a round, the last that ended first.</summary>
    public static IReadOnlyList<WaterfallRow> Of(RoundTimeline timeline, DateTimeOffset now)
    {
        if (timeline.Clients.Count == 0)
        {
            return [];
        }

        DateTimeOffset start = timeline.Clients.Min(client => client.AssignedAt);
        return [.. timeline.Clients.Select(client => Of(client, start, now)).OrderByDescending(row => row.EndSeconds).ThenBy(row => row.Client.DeviceId, StringComparer.Ordinal)];
    }

    private static WaterfallRow Of(ClientTimeline client, DateTimeOffset start, DateTimeOffset now)
    {
        double assigned = (client.AssignedAt - start).TotalSeconds;
        double end = Math.Max(assigned, ((client.EndedAt ?? now) - start).TotalSeconds);
        List<WaterfallStretch> stretches = [];
        double at = 0;
        Add("wait", "waiting for its assignment", assigned);
        if (client.UploadStartedAt is not { } upload)
        {
            // Until it submits, nobody but the device knows what it does.
            Add(client.Outcome == ClientOutcome.Working ? "train" : "other", client.Outcome == ClientOutcome.Working ? "at work" : "nothing sent", end - at);
            return new WaterfallRow(client, stretches, end);
        }

        // What a device reports of itself is not taken to be longer than the time it had.
        double sent = Math.Max(assigned, (upload - start).TotalSeconds);
        Add("download", "downloading", Math.Min(client.DownloadSeconds, sent - at));
        Add("train", "training", Math.Min(client.ComputeSeconds, sent - at));
        Add("encode", "encoding", Math.Min(client.EncodeSeconds, sent - at));
        Add("other", client.ToldComputeSeconds is null ? "training and waiting" : "waiting", sent - at);
        Add("upload", "uploading", end - at);
        return new WaterfallRow(client, stretches, end);

        void Add(string tone, string name, double seconds)
        {
            if (seconds > 0)
            {
                stretches.Add(new WaterfallStretch(tone, name, at, seconds));
                at += seconds;
            }
        }
    }
}
