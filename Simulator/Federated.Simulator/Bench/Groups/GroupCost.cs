using Federated.Shared.SecureAggregation;

namespace Federated.Simulator.Bench.Groups;

/// <summary>What a group costs.</summary>
/// <param name="Members">n.</param>
/// <param name="Neighbours">Members each masks with.</param>
/// <param name="Fields">Length of the vector.</param>
/// <param name="WidthBits">Bits of a field.</param>
/// <param name="DropoutPercent">Members that vanish before their masked input.</param>
/// <param name="ClientCpuMilliseconds">Processor time of one client that stays.</param>
/// <param name="ServerCpuMilliseconds">Processor time of the server, all of the group.</param>
/// <param name="UpBytes">What one client sends beyond its masked fields, encoded.</param>
/// <param name="DownBytes">What it receives, encoded.</param>
/// <param name="PayloadBytes">Its masked fields.</param>
/// <param name="TogetherSeconds">Wall-clock time of all parties in this process; 0 when members were stood in for.</param>
/// <param name="ClientRatio">Client time over what the machine's rates imply for the same agreements, verifications and mask bytes.</param>
/// <param name="ServerRatio">The same for the server.</param>
internal sealed record GroupCost(
    int Members,
    int Neighbours,
    int Fields,
    int WidthBits,
    int DropoutPercent,
    double ClientCpuMilliseconds,
    double ServerCpuMilliseconds,
    long UpBytes,
    long DownBytes,
    long PayloadBytes,
    double TogetherSeconds,
    double ClientRatio,
    double ServerRatio)
{
    /// <summary>Puts measured times beside the bounds.</summary>
    public static GroupCost Of(
        GroupShape shape,
        GroupTopology topology,
        double clientSeconds,
        double serverSeconds,
        GroupTraffic traffic,
        double together,
        MachineRates rates)
    {
        int neighbours = topology.NeighboursOf(1).Length;
        int surviving = shape.Members - shape.Dropped;
        double laneBytes = (double)shape.Fields * new FieldVector(0, shape.WidthBits).LaneBytes;
        double maskSeconds = laneBytes / (rates.AesGigabytesPerSecond * 1e9);
        double clientBound = (2 * neighbours / rates.AgreementsPerSecond)
            + ((neighbours + topology.Threshold) / rates.VerificationsPerSecond)
            + ((neighbours + 1) * maskSeconds);
        double pairs = (double)shape.Dropped * neighbours * surviving / Math.Max(1, shape.Members - 1);
        double serverBound = (pairs / rates.AgreementsPerSecond)
            + ((shape.Members + surviving) / rates.VerificationsPerSecond)
            + ((pairs + surviving) * maskSeconds);
        return new GroupCost(
            shape.Members,
            neighbours,
            shape.Fields,
            shape.WidthBits,
            shape.DropoutPercent,
            clientSeconds * 1000,
            serverSeconds * 1000,
            traffic.Up,
            traffic.Down,
            traffic.Payload,
            together,
            clientSeconds / clientBound,
            serverSeconds / serverBound);
    }
}
