using Federated.Shared.Privacy;

namespace Federated.Server.Privacy;

/// <summary>
/// What a job has spent, durable in its state: how often each device was in a sum, and what such a round costs at most. Selection does not look at
/// what devices hold, so a device has spent what the rounds it was in cost, and the job what its busiest device has.
/// </summary>
public sealed class PrivacyLedger
{
    /// <summary>Rounds by device.</summary>
    public Dictionary<string, int> Rounds { get; set; } = [];

    /// <summary>The dearest round at every order of <see cref="RdpAccountant"/>; empty before the first.</summary>
    public double[] Cost { get; set; } = [];

    /// <summary>What the round planned last costs at every order, whether or not it was begun; empty before the first.</summary>
    public double[] Planned { get; set; } = [];

    /// <summary>Secret of the server's noise: 32 bytes, so that a commit that is repeated after a crash repeats its noise.</summary>
    public byte[] NoiseKey { get; set; } = [];

    /// <summary>Rounds of the busiest device.</summary>
    public int MostRounds() => Rounds.Count == 0 ? 0 : Rounds.Values.Max();

    /// <summary>A sum over these devices has been looked at.</summary>
    internal void Charge(IEnumerable<string> devices, RdpAccountant cost)
    {
        Cost = Dearest(Cost, [.. cost.ByOrder]);
        foreach (string device in devices)
        {
            Rounds[device] = Rounds.GetValueOrDefault(device) + 1;
        }
    }

    /// <summary>A round is about to begin; <see cref="EpsilonAfterAnother"/> says what it would come to.</summary>
    internal void Plan(RdpAccountant cost) => Planned = [.. cost.ByOrder];

    /// <summary>A copy that can be charged while this one stands.</summary>
    internal PrivacyLedger Copy() => new() { Rounds = new(Rounds, StringComparer.Ordinal), Cost = Cost, Planned = Planned, NoiseKey = NoiseKey };

    /// <summary>ε so far.</summary>
    public double Epsilon(double delta) => EpsilonOf(Cost, MostRounds(), delta);

    /// <summary>ε after one more round of the busiest device, as dear as the one planned last and as those before; 0 when no round was planned yet.</summary>
    public double EpsilonAfterAnother(double delta) => EpsilonOf(Dearest(Cost, Planned), MostRounds() + 1, delta);

    private static double[] Dearest(double[] a, double[] b) =>
        a.Length == 0 ? b : b.Length == 0 ? a : [.. RdpAccountant.Dearer(RdpAccountant.Of(a), RdpAccountant.Of(b)).ByOrder];

    private static double EpsilonOf(double[] cost, int rounds, double delta)
    {
        if (rounds == 0 || cost.Length == 0)
        {
            return 0;
        }

        RdpAccountant spent = new();
        spent.Add(RdpAccountant.Of(cost), rounds);
        return spent.Spent(delta).Epsilon;
    }
}
