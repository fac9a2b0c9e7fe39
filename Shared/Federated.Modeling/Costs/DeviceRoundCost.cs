using System.Globalization;
using Federated.Shared.Models;

namespace Federated.Modeling.Costs;

/// <summary>What a device does in a round.</summary>
/// <param name="Batch">Examples a step.</param>
/// <param name="Examples">Examples that the device holds.</param>
/// <param name="Epochs">Passes over them.</param>
/// <param name="MaxSteps">Most steps; null for no limit.</param>
/// <param name="OptimizerSlots">Numbers that the optimizer keeps a parameter: 0 for SGD, 1 with momentum, 2 for AdamW.</param>
/// <param name="ReportSeconds">What the job allows for download, training and upload; null for no limit.</param>
public sealed record RoundWork(int Batch, int Examples, double Epochs, int? MaxSteps, int OptimizerSlots, double? ReportSeconds)
{
    /// <summary>Steps a round.</summary>
    public double Steps => Math.Min(MaxSteps ?? double.PositiveInfinity, Math.Ceiling(Epochs * Math.Ceiling((double)Examples / Batch)));
}

/// <summary>
/// The four costs of a round on a device, as predicted from the gradient graph and the device's profile: seconds = products at the rate of products or of memory, whichever
/// is slower, + everything else at the rate of memory + the start of each node. Updates are taken as dense float32; a codec sends less.
/// </summary>
public sealed record DeviceRoundCost
{
    // Measured over four models of 36 to 764 nodes: holes between the arena's blocks, and what the engine keeps of each node.
    private const double AllocatorFactor = 1.25;
    private const double NodeBytes = 8_000;

    /// <summary>The model.</summary>
    public required string Package { get; init; }

    /// <summary>The device.</summary>
    public required string Device { get; init; }

    /// <summary>Steps a round.</summary>
    public required double Steps { get; init; }

    /// <summary>A step, whatever the device.</summary>
    public required StepCost Step { get; init; }

    /// <summary>A step's seconds.</summary>
    public required double StepSeconds { get; init; }

    /// <summary>A round's seconds of training.</summary>
    public required double TrainingSeconds { get; init; }

    /// <summary>A round's seconds of sending and receiving, without the first download of the package.</summary>
    public required double TransferSeconds { get; init; }

    /// <summary>Most memory that the client's process holds.</summary>
    public required double PeakMemoryBytes { get; init; }

    /// <summary>A round's energy.</summary>
    public required double EnergyJoules { get; init; }

    /// <summary>Graphs and frozen weights, fetched once.</summary>
    public required long PackageBytes { get; init; }

    /// <summary>The adapter that is fetched each round.</summary>
    public required long DownBytes { get; init; }

    /// <summary>The update that is sent each round.</summary>
    public required long UpBytes { get; init; }

    /// <summary>Why the job does not fit; empty when it does.</summary>
    public required IReadOnlyList<string> Obstacles { get; init; }

    /// <summary>What of the job the figures do not count, for people; empty when nothing is known to be missing.</summary>
    public IReadOnlyList<string> NotCounted { get; init; } = [];

    /// <summary>Whether the job fits.</summary>
    public bool Fits => Obstacles.Count == 0;

    /// <summary>Predicts.</summary>
    /// <exception cref="ArgumentException">The work is out of range, or the package has no gradient graph.</exception>
    public static DeviceRoundCost Predict(ModelPackage package, DeviceProfile device, RoundWork work)
    {
        ArgumentNullException.ThrowIfNull(package);
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(work);
        if (work.Examples < 1 || work.Epochs is not (> 0 and <= 1e6) || work.MaxSteps < 1)
        {
            string steps = work.MaxSteps is { } most ? string.Create(CultureInfo.InvariantCulture, $", {most} steps at most") : "";
            throw new ArgumentException(
                string.Create(CultureInfo.InvariantCulture, $"{work.Examples} examples and {work.Epochs} epochs{steps} make no round: each is above 0, and epochs are 1,000,000 at most."), nameof(work));
        }

        PackageManifest manifest = package.Manifest;
        StepCost step = StepCost.Of(package, Math.Min(work.Batch, work.Examples));
        double parameters = manifest.Layout.Length;

        // The optimizer reads and writes the parameters, reads the gradient, and reads and writes what it keeps.
        double updateBytes = parameters * sizeof(float) * (3 + (2 * work.OptimizerSlots));
        double memoryRate = device.MemoryGigabytesPerSecond * 1e9;
        double stepSeconds = Math.Max(step.ProductFlops / (device.GigaflopsPerSecond * 1e9), (step.BytesMoved - step.OtherBytes) / memoryRate)
            + ((step.OtherBytes + updateBytes) / memoryRate) + (step.Nodes * device.NodeMicroseconds * 1e-6);
        double trainingSeconds = work.Steps * stepSeconds;
        long down = (long)parameters * sizeof(float);
        long up = manifest.Layout.Parameters.Where((_, i) => manifest.Parameters[i].HasGradient).Sum(p => (long)p.Length) * sizeof(float);
        double transferSeconds = (down * 8 / (device.DownlinkMegabitsPerSecond * 1e6)) + (up * 8 / (device.UplinkMegabitsPerSecond * 1e6));

        // Received adapter, working copy, gradient, update, and what the optimizer keeps.
        double peak = (device.RuntimeMegabytes * 1e6) + step.FrozenBytes + (AllocatorFactor * step.ActivationBytes) + (NodeBytes * step.Nodes)
            + (parameters * sizeof(float) * (4 + work.OptimizerSlots));
        List<string> obstacles = [];
        if (peak > device.AvailableMemoryMegabytes * 1e6)
        {
            obstacles.Add(FormattableString.Invariant($"it needs {peak / 1e6:F0} MB of memory, the device has {device.AvailableMemoryMegabytes:F0}"));
        }

        if (trainingSeconds + transferSeconds > work.ReportSeconds)
        {
            obstacles.Add(FormattableString.Invariant($"a round takes {trainingSeconds + transferSeconds:F0} s, the job allows {work.ReportSeconds:F0}"));
        }

        return new DeviceRoundCost
        {
            Package = manifest.Name,
            Device = device.Name,
            Steps = work.Steps,
            Step = step,
            StepSeconds = stepSeconds,
            TrainingSeconds = trainingSeconds,
            TransferSeconds = transferSeconds,
            PeakMemoryBytes = peak,
            EnergyJoules = (trainingSeconds * device.TrainingWatts) + (transferSeconds * device.TransferWatts),
            PackageBytes = manifest.Gradient.LengthBytes + manifest.FrozenWeights.Sum(f => f.LengthBytes),
            DownBytes = down,
            UpBytes = up,
            Obstacles = obstacles,
        };
    }
}
