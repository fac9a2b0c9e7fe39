namespace Federated.Server.Identity;

/// <summary>A device as the registry keeps it. Immutable.</summary>
public sealed record EnrolledDevice
{
    /// <summary>Its name, the common name of its certificate.</summary>
    public required string DeviceId { get; init; }

    /// <summary>The population it may check in to; empty for any.</summary>
    public string Population { get; init; } = "";

    /// <summary>Labels that the operator set; they win over those the device sends.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();

    /// <summary>SubjectPublicKeyInfo of its key.</summary>
    public required byte[] PublicKey { get; init; }

    /// <summary>Hash of the token it enrolled with.</summary>
    public string Token { get; init; } = "";

    /// <summary>When it enrolled.</summary>
    public DateTimeOffset EnrolledAt { get; init; }

    /// <summary>When its latest certificate ends.</summary>
    public DateTimeOffset CertificateEndsAt { get; init; }

    /// <summary>Whether it has used its certificate: from then on its token gives no further one.</summary>
    public bool Confirmed { get; init; }

    /// <summary>When it was revoked; null when it was not.</summary>
    public DateTimeOffset? RevokedAt { get; init; }
}

/// <summary>An enrollment token as the registry keeps it: without its secret. Immutable.</summary>
public sealed record TokenRecord
{
    /// <summary>SHA-256 of the secret.</summary>
    public required string Hash { get; init; }

    /// <summary>When it was made.</summary>
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it ends.</summary>
    public DateTimeOffset ExpiresAt { get; init; }

    /// <summary>The only device it is for; null for any new one.</summary>
    public string? DeviceId { get; init; }

    /// <summary>The population of the device; null when the device may say.</summary>
    public string? Population { get; init; }

    /// <summary>Labels the device gets.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();

    /// <summary>The device that used it; null when none has.</summary>
    public string? UsedBy { get; init; }
}
