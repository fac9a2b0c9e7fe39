using Federated.Simulator.Reports;
using Federated.Training;

namespace Federated.Simulator.Central;

/// <summary>Counts the batches that are asked of another source and tells of them, at most once a second. For one training thread.</summary>
internal sealed class ProgressExamples(IExampleSource source, long batches, Action<string> tell, TimeProvider time) : IExampleSource
{
    private static readonly TimeSpan _interval = TimeSpan.FromSeconds(1);

    private readonly long _started = time.GetTimestamp();
    private long _told = time.GetTimestamp();
    private long _done;

    /// <inheritdoc/>
    public int Count => source.Count;

    /// <inheritdoc/>
    public ExampleFormat Format => source.Format;

    /// <inheritdoc/>
    public void CopyTo(ReadOnlySpan<int> indices, ExampleBatch batch)
    {
        if (_done > 0 && time.GetElapsedTime(_told) >= _interval)
        {
            _told = time.GetTimestamp();
            double rate = _done / time.GetElapsedTime(_started).TotalSeconds;
            tell($"step {_done}/{batches}, {rate:0.0} a second, {Wording.Time(TimeSpan.FromSeconds((batches - _done) / rate))} left");
        }

        _done++;
        source.CopyTo(indices, batch);
    }
}
