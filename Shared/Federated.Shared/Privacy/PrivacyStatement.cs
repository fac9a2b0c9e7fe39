namespace Federated.Shared.Privacy;

/// <summary>How a round's cohort comes about, which decides what may be claimed.</summary>
public enum CohortSampling
{
    /// <summary>
    /// A fixed number of devices, chosen by availability or pace steering. Nothing is known about the chance that a device takes part; no
    /// amplification is claimed.
    /// </summary>
    FixedOrPaceSteered,

    /// <summary>Every device is in a round with the same probability, independently.</summary>
    Poisson,
}

/// <summary>Where noise is added, which decides whom it protects from.</summary>
public enum NoisePlace
{
    /// <summary>The server adds it to the sum: readers of the model are told nothing, the server sees the sum itself.</summary>
    Server,

    /// <summary>Clients add it before masking: the server does not see the sum without it, as long as enough of them are honest.</summary>
    Clients,
}

/// <summary>A guarantee with what it rests on.</summary>
/// <param name="Epsilon">ε.</param>
/// <param name="Delta">δ.</param>
/// <param name="Sampling">How cohorts come about.</param>
/// <param name="Place">Where the noise is added.</param>
/// <param name="Participations">Rounds a device may have taken part in.</param>
public sealed record PrivacyStatement(double Epsilon, double Delta, CohortSampling Sampling, NoisePlace Place, int Participations)
{
    /// <summary>The guarantee in words, for a report.</summary>
    public override string ToString()
    {
        string sampling = Sampling == CohortSampling.Poisson
            ? "each device takes part in a round independently with the stated probability"
            : $"a device is in at most {Participations} rounds' sums, and nothing is claimed for not being selected";
        string place = Place == NoisePlace.Server
            ? "the server is trusted to add the noise"
            : "at least the counted number of clients add their noise honestly";
        return FormattableString.Invariant(
            $"({Epsilon:F3}, {Delta:G2})-differential privacy of the models for all that one device holds: its updates replaced by nothing change no probability by more, ")
            + $"assuming that {sampling}, that updates are clipped to the clip norm, and that {place}.";
    }

    /// <summary>Whether a job that may spend <paramref name="budget"/> has to stop.</summary>
    public bool Exceeds(double budget) => Epsilon > budget;
}
