using System.Globalization;
using Federated.Server.Api;
using Federated.Server.Grains;
using Federated.Server.Identity;
using Spectre.Console;

namespace Federated.Server.Cli;

/// <summary>Prints devices for people.</summary>
internal static class DeviceTable
{
    /// <summary>Several devices, and below them what was refused lately.</summary>
    public static void PrintAll(IReadOnlyList<DeviceSummary> devices)
    {
        PrintTable(devices);
        foreach (string line in RefusalsOf(devices))
        {
            Console.Out.WriteLine(line);
        }
    }

    /// <summary>One device with its history.</summary>
    public static void Print(DeviceDetail shown)
    {
        PrintTable([shown.Device]);
        if (shown.Record is not { } record)
        {
            PrintRefused(shown.Refused);
            return;
        }

        Console.Out.WriteLine($"Selected for {record.Selected} rounds, contributed to {record.Contributed}; known since {Time(record.FirstSeen)}.");
        Table rounds = new Table().Border(TableBorder.Rounded).AddColumns("job", "round", "outcome", "reason", "seconds", "training s", "ended");
        foreach (DeviceRound round in record.Rounds)
        {
            rounds.AddRow([.. RowOf(round).Select(Markup.Escape)]);
        }

        AnsiConsole.Write(rounds);
        foreach (DeviceError error in record.Errors)
        {
            Console.Out.WriteLine($"{Time(error.At)} {error.JobId} round {error.Round}: {error.Text}");
        }

        PrintRefused(shown.Refused);
    }

    /// <summary>Refused calls that no enrolled device can be named for.</summary>
    public static void PrintStrangers(StrangerCalls strangers)
    {
        Console.Out.WriteLine($"{strangers.Total} refused calls since the server started that no enrolled device can be named for.");
        PrintRefused(strangers.Calls);
    }

    /// <summary>A device as the table shows it: name, population, what it does now, last call, client, labels, enrollment.</summary>
    public static string[] RowOf(DeviceSummary device) =>
    [
        device.DeviceId,
        device.Population,
        device.Presence.ToString().ToLowerInvariant(),
        device.LastCall is { } call ? Time(call) : "–",
        $"{device.ClientVersion} {device.Engine}".Trim(),
        string.Join(' ', device.Labels.Select(label => $"{label.Key}={label.Value}")),
        device.Enrollment switch
        {
            null => "–",
            { RevokedAt: { } at } => $"revoked {Time(at)}",
            { } enrollment => $"until {Time(enrollment.CertificateEndsAt)}",
        },
    ];

    /// <summary>
    /// A line for each device that a refused call of the last day concerns. It may have been anybody's call, and says nothing of the device's own state.
    /// </summary>
    public static IEnumerable<string> RefusalsOf(IReadOnlyList<DeviceSummary> devices) => devices
        .Where(device => device.Enrollment?.LastRefusal is not null)
        .Select(device => (device.DeviceId, Refusal: device.Enrollment!.LastRefusal!))
        .OrderByDescending(line => line.Refusal.At)
        .Select(line => $"{Time(line.Refusal.At)} a call that concerns {line.DeviceId} was refused: {line.Refusal.Code}. 'devices show {line.DeviceId}' tells more.");

    /// <summary>A round of a device's history as the table shows it: job, round, outcome, reason, seconds in all, of training, and when it ended.</summary>
    public static string[] RowOf(DeviceRound round) =>
    [
        round.JobId,
        round.Round.ToString(CultureInfo.InvariantCulture),
        round.Outcome.ToString().ToLowerInvariant(),
        round.Reason,
        round.TotalSeconds.ToString("F2", CultureInfo.CurrentCulture),
        round.ComputeSeconds > 0 ? round.ComputeSeconds.ToString("F2", CultureInfo.CurrentCulture) : "–",
        Time(round.EndedAt),
    ];

    private static void PrintTable(IReadOnlyList<DeviceSummary> devices)
    {
        Table table = new Table().Border(TableBorder.Rounded).AddColumns("device", "population", "now", "last call", "client", "labels", "enrollment");
        foreach (DeviceSummary device in devices)
        {
            table.AddRow([.. RowOf(device).Select(Markup.Escape)]);
        }

        AnsiConsole.Write(table);
    }

    private static void PrintRefused(IReadOnlyList<RefusedCall> calls)
    {
        if (calls.Count == 0)
        {
            return;
        }

        Table table = new Table().Border(TableBorder.Rounded).AddColumns("last", "refused with", "what was wrong", "from", "times");
        foreach (RefusedCall call in calls)
        {
            table.AddRow(Time(call.At), call.Code, Markup.Escape(call.Detail), Markup.Escape(call.Peer), call.Times.ToString(CultureInfo.InvariantCulture));
        }

        AnsiConsole.Write(table);
    }

    private static string Time(DateTimeOffset time) => time.ToString("u", CultureInfo.InvariantCulture);
}
