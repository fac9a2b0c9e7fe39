using Federated.Server.Jobs;
using Federated.Shared.Privacy;

namespace Federated.Server.Privacy;

/// <summary>What a job guarantees so far, as the API shows it.</summary>
public sealed record JobPrivacy
{
    /// <summary>Where the noise comes from.</summary>
    public required PrivacyMechanism Mechanism { get; init; }

    /// <summary>ε so far.</summary>
    public required double Epsilon { get; init; }

    /// <summary>δ.</summary>
    public required double Delta { get; init; }

    /// <summary>ε at which the job ends; null without a limit.</summary>
    public double? Budget { get; init; }

    /// <summary>Rounds of the device that was in most sums.</summary>
    public required int Participations { get; init; }

    /// <summary>The guarantee in words, with what it rests on.</summary>
    public required string Statement { get; init; }

    /// <summary>What a job has spent; null without privacy.</summary>
    public static JobPrivacy? Of(JobSpec spec, PrivacyLedger? ledger)
    {
        if (spec.Privacy is not { } privacy || ledger is null)
        {
            return null;
        }

        PrivacyStatement statement = new(
            ledger.Epsilon(privacy.Delta),
            privacy.Delta,
            privacy.Mechanism == PrivacyMechanism.Gaussian ? NoisePlace.Server : NoisePlace.Clients,
            ledger.MostRounds());
        return new JobPrivacy
        {
            Mechanism = privacy.Mechanism,
            Epsilon = statement.Epsilon,
            Delta = statement.Delta,
            Budget = privacy.EpsilonBudget,
            Participations = statement.Participations,
            Statement = statement.ToString(),
        };
    }
}
