using System.Globalization;
using Microsoft.Extensions.Logging;

namespace Federated.Client.Cli;

/// <summary>Writes one plain line an entry: time, level unless it is information, message. Thread-safe if the writer is.</summary>
internal sealed class PlainConsoleLogger(TextWriter output, TimeProvider time) : ILogger
{
    /// <inheritdoc/>
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    /// <inheritdoc/>
    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

    /// <inheritdoc/>
    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (IsEnabled(logLevel))
        {
            string level = logLevel == LogLevel.Information ? "" : $"{logLevel.ToString().ToLowerInvariant()}: ";
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{time.GetLocalNow():HH:mm:ss} {level}{formatter(state, exception)}"));
        }
    }
}
