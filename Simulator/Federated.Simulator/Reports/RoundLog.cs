using System.Text;
using System.Text.Json;
using Federated.Server.Rounds;
using Federated.Shared.Files;

namespace Federated.Simulator.Reports;

/// <summary>
/// <c>rounds.jsonl</c>: one <see cref="RoundRecord"/> a line, appended as rounds end and flushed line by line, so that a run that is killed
/// leaves every finished round behind. Runs that repeat each other differ in <c>timing</c> alone; those of a job
/// with privacy do not repeat, because its noise is not drawn from the seed.
/// </summary>
internal static class RoundLog
{
    /// <summary>Name of the file in the run folder.</summary>
    public const string FileName = "rounds.jsonl";

    private static readonly UTF8Encoding _utf8 = new(encoderShouldEmitUTF8Identifier: false);

    /// <summary>Opens the log for appending; every line is flushed.</summary>
    public static StreamWriter Create(string path) => new(path, append: false, _utf8) { NewLine = "\n", AutoFlush = true };

    /// <summary>The line of a round, without its end.</summary>
    public static string ToLine(RoundRecord round) => JsonSerializer.Serialize(round, ReportJson.Line);

    /// <summary>
    /// Replaces the log by the final records: a round's count of late updates is known only when its last straggler has reported.
    /// </summary>
    public static Task RewriteAsync(string path, IEnumerable<RoundRecord> rounds, CancellationToken cancellationToken) =>
        ReplacedFile.WriteOpenAsync(path, _utf8.GetBytes(string.Concat(rounds.Select(round => ToLine(round) + "\n"))), cancellationToken);

    /// <summary>Reads a log back.</summary>
    public static IReadOnlyList<RoundRecord> Read(string path) =>
        [.. File.ReadLines(path).Select(line => JsonSerializer.Deserialize<RoundRecord>(line, ReportJson.Line)!)];
}
