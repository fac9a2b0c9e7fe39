using System.Globalization;
using System.Text;
using System.Text.Json;
using Federated.Server.Jobs;
using Federated.Server.Rounds;
using Federated.Shared.Protocol;

namespace Federated.Server.Api;

/// <summary>
/// Rounds and clients as tables for other programs: CSV after RFC 4180 with a line of names, or one JSON object a line as the API gives them elsewhere. Columns are only ever added,
/// at the end.
/// </summary>
internal static class TableExport
{
    private static readonly (string Name, Func<RoundRecord, object?> Value)[] _rounds =
    [
        ("jobId", r => r.JobId),
        ("round", r => r.Round),
        ("outcome", r => Name(r.Outcome)),
        ("reason", r => r.Reason),
        ("modelVersion", r => r.ModelVersion),
        ("adapterSha256", r => r.AdapterSha256),
        ("goal", r => r.Goal),
        ("selected", r => r.Selected),
        ("accepted", r => r.Accepted),
        ("late", r => r.Late),
        ("dropped", r => r.Dropped.Values.Sum()),
        ("refused", r => r.Refused.Values.Sum()),
        ("examples", r => r.Examples),
        ("trainLoss", r => r.TrainLoss),
        ("updateNorm", r => r.UpdateNorm),
        ("averagingBias", r => r.AveragingBias),
        ("clipNorm", r => r.ClipNorm),
        ("clippedShare", r => r.ClippedShare),
        ("evaluationExamples", r => r.Evaluation?.Examples),
        ("loss", r => r.Evaluation?.Loss),
        ("accuracy", r => r.Evaluation?.Accuracy),
        ("bytesUp", r => r.BytesUp),
        ("bytesDown", r => r.BytesDown),
        ("startedAt", r => r.Timing.StartedAt),
        ("selectSeconds", r => r.Timing.SelectSeconds),
        ("collectSeconds", r => r.Timing.CollectSeconds),
        ("commitSeconds", r => r.Timing.CommitSeconds),
        ("evaluateSeconds", r => r.Timing.EvaluateSeconds),
        ("totalSeconds", r => r.Timing.TotalSeconds),
        ("processCpuSeconds", r => r.Timing.ProcessCpuSeconds),
        ("clientComputeSeconds", r => r.Timing.ClientComputeSeconds),
        ("clientDownloadSeconds", r => r.Timing.ClientDownloadSeconds),
        ("clientPeakMemoryBytes", r => r.Timing.ClientPeakMemoryBytes),
        ("durableWrites", r => r.Timing.DurableWrites),
        ("epsilon", r => r.Epsilon),
        ("meanAbsoluteError", r => r.Evaluation?.MeanAbsoluteError),
        ("cosineSimilarity", r => r.Evaluation?.CosineSimilarity),
    ];

    private static readonly (string Name, Func<ClientRow, object?> Value)[] _clients =
    [
        ("jobId", row => row.JobId),
        ("round", row => row.Round),
        ("deviceId", row => row.Client.DeviceId),
        ("outcome", row => Name(row.Client.Outcome)),
        ("reason", row => row.Client.Reason),
        ("lastRefusal", row => row.Client.LastRefusal),
        ("checkedInAt", row => row.Client.CheckedInAt),
        ("assignedAt", row => row.Client.AssignedAt),
        ("uploadStartedAt", row => row.Client.UploadStartedAt),
        ("endedAt", row => row.Client.EndedAt),
        ("downloadSeconds", row => row.Client.DownloadSeconds),
        ("computeSeconds", row => row.Client.ToldComputeSeconds),
        ("encodeSeconds", row => row.Client.EncodeSeconds),
        ("otherSeconds", row => row.Client.OtherSeconds),
        ("uploadSeconds", row => row.Client.UploadSeconds),
        ("peakMemoryBytes", row => row.Client.PeakMemoryBytes),
    ];

    /// <summary>A device's part in a round.</summary>
    public sealed record ClientRow(string JobId, long Round, ClientTimeline Client);

    /// <summary>How a table is written.</summary>
    public enum Format
    {
        /// <summary>Comma-separated values.</summary>
        Csv,

        /// <summary>One JSON object a line.</summary>
        Jsonl,
    }

    /// <summary>The format that a request names.</summary>
    /// <exception cref="ProtocolViolationException">It names none of them.</exception>
    public static Format FormatOf(string? text) => text switch
    {
        null or "" or "csv" => Format.Csv,
        "jsonl" => Format.Jsonl,
        _ => throw new ProtocolViolationException(ErrorCode.InvalidSetting, "format is none of csv and jsonl."),
    };

    /// <summary>The media type of a format.</summary>
    public static string MediaTypeOf(Format format) => format == Format.Csv ? "text/csv; charset=utf-8" : "application/jsonl; charset=utf-8";

    /// <summary>Writes rounds.</summary>
    public static Task WriteRoundsAsync(TextWriter output, Format format, IEnumerable<RoundRecord> rounds) =>
        WriteAsync(output, format, _rounds, rounds.ToAsyncEnumerable());

    /// <summary>Writes the devices of rounds.</summary>
    public static Task WriteClientsAsync(TextWriter output, Format format, IAsyncEnumerable<ClientRow> clients) =>
        WriteAsync(output, format, _clients, clients);

    private static async Task WriteAsync<T>(TextWriter output, Format format, (string Name, Func<T, object?> Value)[] columns, IAsyncEnumerable<T> rows)
    {
        if (format == Format.Csv)
        {
            await output.WriteAsync(string.Join(',', columns.Select(column => column.Name)) + "\r\n");
        }

        StringBuilder line = new();
        await foreach (T row in rows)
        {
            line.Clear();
            if (format == Format.Csv)
            {
                line.AppendJoin(',', columns.Select(column => Field(column.Value(row)))).Append("\r\n");
            }
            else
            {
                line.Append(row is ClientRow client ? Merged(client) : JsonSerializer.Serialize(row, RoundRecords.Json)).Append('\n');
            }

            await output.WriteAsync(line);
        }
    }

    private static string Merged(ClientRow row)
    {
        System.Text.Json.Nodes.JsonObject merged = new() { ["jobId"] = row.JobId, ["round"] = row.Round };
        foreach ((string name, System.Text.Json.Nodes.JsonNode? value) in JsonSerializer.SerializeToNode(row.Client, RoundRecords.Json)!.AsObject())
        {
            merged[name] = value?.DeepClone();
        }

        return merged.ToJsonString();
    }

    private static string Field(object? value)
    {
        string text = value switch
        {
            null => "",
            double number => number.ToString("R", CultureInfo.InvariantCulture),
            DateTimeOffset instant => instant.ToString("O", CultureInfo.InvariantCulture),
            _ => Convert.ToString(value, CultureInfo.InvariantCulture)!,
        };
        return text.AsSpan().IndexOfAny(",\"\r\n") >= 0 ? $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : text;
    }

    private static string Name<T>(T value)
        where T : struct, Enum => JsonNamingPolicy.CamelCase.ConvertName(value.ToString());
}
