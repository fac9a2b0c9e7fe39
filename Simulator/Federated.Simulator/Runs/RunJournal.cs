using Federated.Simulator.Population;
using Federated.Simulator.Reports;

namespace Federated.Simulator.Runs;

/// <summary>Keeps <c>run.json</c> up with a run on a server of its own, so that the run can go on after this process. Not thread-safe.</summary>
/// <param name="folder">The run's.</param>
/// <param name="jobId">The job.</param>
/// <param name="engine">What the devices train with.</param>
/// <param name="clock">The run's.</param>
/// <param name="energy">The devices'.</param>
internal sealed class RunJournal(RunFolder folder, string jobId, string engine, RunClock clock, EnergyMeter energy)
{
    /// <summary>Writes down how far the run is.</summary>
    public Task WriteAsync()
    {
        (long microjoules, long contributions) = energy.Totals;
        return folder.WriteStateAsync(new RunState
        {
            JobId = jobId,
            Engine = engine,
            WallSeconds = clock.Elapsed.TotalSeconds,
            CpuSeconds = clock.CpuSeconds,
            PeakMemoryBytes = clock.PeakMemoryBytes,
            EnergyMicrojoules = microjoules,
            EnergyContributions = contributions,
        });
    }
}
