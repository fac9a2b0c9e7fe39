using Federated.Server.Storage;

namespace Federated.Server.Telemetry;

/// <summary>What went wrong last with something that is tried again and again, so that it is said once and not at every try. Thread-safe.</summary>
internal sealed class LastFailure
{
    private string? _text;
    private Exception? _exception;

    /// <summary>The last failure; null since things went well.</summary>
    public Exception? Exception => Volatile.Read(ref _exception);

    /// <summary>Notes a failure.</summary>
    /// <returns>Whether it is another one than the last, or the first since things went well.</returns>
    public bool IsNews(Exception failure)
    {
        string reason = ReasonOf(failure);
        Volatile.Write(ref _exception, failure);
        return Interlocked.Exchange(ref _text, reason) != reason;
    }

    /// <summary>Things went well.</summary>
    public void Over()
    {
        Volatile.Write(ref _text, null);
        Volatile.Write(ref _exception, null);
    }

    /// <summary>What two failures of one reason have in common: type and message; of the operating system's what it said, as their messages name a file that is another at every try.</summary>
    public static string ReasonOf(Exception failure) =>
        $"{failure.GetType()}: {StoreFailure.ReasonOf(failure)}";
}
