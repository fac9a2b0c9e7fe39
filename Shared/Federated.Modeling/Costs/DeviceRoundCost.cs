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
    /// <summary>Whether steps follow seeded directions: two losses a step in the place of a loss with its gradient.</summary>
    public bool AlongDirections { get; init; }

    /// <summary>Parameters that are trained; null for all that have a gradient.</summary>
    public long? TrainedCount { get; init; }

    /// <summary>Numbers in the update; null for all parameters that have a gradient.</summary>
    public long? SentCount { get; init; }

    /// <summary>Steps a round.</summary>
    public double Steps => Math.Min(MaxSteps ?? double.PositiveInfinity, Math.Ceiling(Epochs * Math.Ceiling((double)Examples / Batch)));
}

/// <summary>
/// The four costs of a round on a device, as predicted from the graph that it runs and the device's profile: seconds = products at the rate of products or of memory, whichever
/// is slower, + everything else at the rate of memory + the start of each node. Updates are taken as dense float32; a codec sends less.
/// </summary>
public sealed record DeviceRoundCost
{
    // Measured over four models of 36 to 764 nodes: holes between the arena's blocks, and what the engine keeps of each node.
    private const double AllocatorFactor = 1.25;
    private const double NodeBytes = 8_000;

    // Of an optimizer's step: it reads and writes the parameters and reads the gradient, and reads and writes what it keeps.
    private const int StepPasses = 3;
    private const int SlotPasses = 2;

    // Of a step along a direction: each of the two points is copied, moved and put into the adapter, and then the parameters are moved; each is a read and a write.
    private const int DirectionPasses = 14;

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

    /// <summary>The graph that the device runs and the frozen weights, fetched once.</summary>
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
    /// <exception cref="ArgumentException">The work is out of range, or the package lacks the graph that the device runs.</exception>
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
        int batch = Math.Min(work.Batch, work.Examples);
        StepCost pass = work.AlongDirections ? StepCost.OfLoss(package, batch) : StepCost.Of(package, batch);
        StepCost step = work.AlongDirections ? pass.Twice() : pass;
        double parameters = manifest.Layout.Length;
        long withGradient = manifest.Layout.Parameters.Where((_, i) => manifest.Parameters[i].HasGradient).Sum(p => (long)p.Length);
        double trained = work.TrainedCount ?? withGradient;
        double updateBytes = trained * sizeof(float) * (work.AlongDirections ? DirectionPasses : StepPasses + (SlotPasses * work.OptimizerSlots));
        double memoryRate = device.MemoryGigabytesPerSecond * 1e9;
        double stepSeconds = Math.Max(step.ProductFlops / (device.GigaflopsPerSecond * 1e9), (step.BytesMoved - step.OtherBytes) / memoryRate)
            + ((step.OtherBytes + updateBytes) / memoryRate) + (step.Nodes * device.NodeMicroseconds * 1e-6);
        double trainingSeconds = work.Steps * stepSeconds;
        long down = (long)parameters * sizeof(float);
        long up = (work.SentCount ?? withGradient) * sizeof(float);
        double transferSeconds = (down * 8 / (device.DownlinkMegabitsPerSecond * 1e6)) + (up * 8 / (device.UplinkMegabitsPerSecond * 1e6));

        // Received adapter and working copy; then gradient and update, or the point and its shifted copy; and what the optimizer keeps.
        double copies = (2 * parameters) + (work.AlongDirections ? 2 * trained : (2 * parameters) + (work.OptimizerSlots * trained));
        double peak = (device.RuntimeMegabytes * 1e6) + pass.FrozenBytes + (AllocatorFactor * pass.ActivationBytes) + (NodeBytes * pass.Nodes) + (copies * sizeof(float));
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
            PackageBytes = (work.AlongDirections ? manifest.Evaluation : manifest.Gradient).LengthBytes + manifest.FrozenWeights.Sum(f => f.LengthBytes),
            DownBytes = down,
            UpBytes = up,
            Obstacles = obstacles,
        };
    }
}
