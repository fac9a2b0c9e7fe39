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

    /// <summary>Secret of the server's noise: 32 bytes, so that a commit that is repeated after a crash repeats its noise.</summary>
    public byte[] NoiseKey { get; set; } = [];

    /// <summary>Rounds of the busiest device.</summary>
    public int MostRounds() => Rounds.Count == 0 ? 0 : Rounds.Values.Max();

    /// <summary>A sum over these devices has been looked at.</summary>
    internal void Charge(IEnumerable<string> devices, RdpAccountant cost)
    {
        Cost = [.. (Cost.Length == 0 ? cost : RdpAccountant.Dearer(cost, RdpAccountant.Of(Cost))).ByOrder];
        foreach (string device in devices)
        {
            Rounds[device] = Rounds.GetValueOrDefault(device) + 1;
        }
    }

    /// <summary>ε so far.</summary>
    public double Epsilon(double delta) => EpsilonOf(MostRounds(), delta);

    /// <summary>ε after one more round of the busiest device.</summary>
    public double EpsilonAfterAnother(double delta) => EpsilonOf(MostRounds() + 1, delta);

    private double EpsilonOf(int rounds, double delta)
    {
        if (rounds == 0 || Cost.Length == 0)
        {
            return 0;
        }

        RdpAccountant spent = new();
        spent.Add(RdpAccountant.Of(Cost), rounds);
        return spent.Spent(delta).Epsilon;
    }
}
