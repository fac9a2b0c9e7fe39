using Federated.Shared.Protocol;

namespace Federated.Client.Session;

/// <summary>Who checks in. Immutable.</summary>
public sealed record ClientIdentity
{
    private const int MaxLabels = 32;

    /// <summary>Checks and keeps an identity.</summary>
    /// <param name="deviceId">1 to 128 characters of A–Z a–z 0–9 . _ - that do not begin with a dot.</param>
    /// <param name="population">The population the device belongs to; same alphabet.</param>
    /// <param name="labels">At most 32; names as above, values of at most 128 characters.</param>
    /// <exception cref="ArgumentException">One of them is not as described.</exception>
    public ClientIdentity(string deviceId, string population, IReadOnlyDictionary<string, string> labels)
    {
        ArgumentNullException.ThrowIfNull(labels);
        DeviceId = Identifier(deviceId, "device id", nameof(deviceId));
        Population = Identifier(population, "population", nameof(population));
        if (labels.Count > MaxLabels)
        {
            throw new ArgumentException($"A device has {labels.Count} labels, the limit is {MaxLabels}.", nameof(labels));
        }

        foreach ((string name, string value) in labels)
        {
            Identifier(name, "label name", nameof(labels));
            if (value.Length > ProtocolLimits.MaxIdentifierLength)
            {
                throw new ArgumentException(
                    $"Label '{name}' has a value of {value.Length} characters, the limit is {ProtocolLimits.MaxIdentifierLength}.", nameof(labels));
            }
        }

        Labels = labels;
    }

    /// <summary>Names the device.</summary>
    public string DeviceId { get; }

    /// <summary>The population it belongs to.</summary>
    public string Population { get; }

    /// <summary>What else is known of it.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; }

    private static string Identifier(string text, string what, string parameter) => ProtocolLimits.IsIdentifier(text)
        ? text
        : throw new ArgumentException(
            $"The {what} '{text}' is not an identifier: 1 to {ProtocolLimits.MaxIdentifierLength} characters of A-Z a-z 0-9 . _ - that do not begin with a dot.",
            parameter);
}
