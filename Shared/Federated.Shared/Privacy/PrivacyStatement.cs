namespace Federated.Shared.Privacy;

/// <summary>Where noise is added, which decides whom it protects from.</summary>
public enum NoisePlace
{
    /// <summary>The server adds it to the sum: readers of the model are told nothing, the server sees the sum itself.</summary>
    Server,

    /// <summary>Clients add it before masking: the server does not see the sum without it, as long as enough of them are honest.</summary>
    Clients,
}

/// <summary>
/// A guarantee with what it rests on. Cohorts are of a fixed size, of devices that wait: nothing is known about the chance that one takes part, so no
/// amplification by sampling is claimed.
/// </summary>
/// <param name="Epsilon">ε.</param>
/// <param name="Delta">δ.</param>
/// <param name="Place">Where the noise is added.</param>
/// <param name="Participations">Rounds a device may have taken part in.</param>
public sealed record PrivacyStatement(double Epsilon, double Delta, NoisePlace Place, int Participations)
{
    /// <summary>The guarantee in words, for a report.</summary>
    public override string ToString()
    {
        string place = Place == NoisePlace.Server
            ? "the server is trusted to add the noise"
            : "at least the counted number of clients add their noise honestly";
        return FormattableString.Invariant(
            $"({Epsilon:F3}, {Delta:G2})-differential privacy of the models for all that one device holds: its updates replaced by nothing change no probability by more, ")
            + $"assuming that a device is in at most {Participations} rounds' sums, and nothing is claimed for not being selected, that updates are clipped to the clip norm, and that {place}.";
    }
}
