namespace Federated.Server.Telemetry;

/// <summary>What went wrong last with something that is tried again and again, so that it is said once and not at every try. Thread-safe.</summary>
internal sealed class LastFailure
{
    private string? _text;

    /// <summary>Notes a failure.</summary>
    /// <returns>Whether it is another one than the last, or the first since things went well.</returns>
    public bool IsNews(Exception failure)
    {
        string reason = ReasonOf(failure);
        return Interlocked.Exchange(ref _text, reason) != reason;
    }

    /// <summary>Things went well.</summary>
    public void Over() => Volatile.Write(ref _text, null);

    /// <summary>What two failures of one reason have in common: type and message; of the operating system's its number, as their messages name a file that is another at every try.</summary>
    public static string ReasonOf(Exception failure) =>
        failure is IOException { HResult: > 0 } ? $"{failure.GetType()}: error {failure.HResult}" : $"{failure.GetType()}: {failure.Message}";
}
