using Federated.Shared.Models;

namespace Federated.Server.Storage;

/// <summary>Stored bytes are not the bytes that were stored: their SHA-256 is not their name.</summary>
/// <param name="blobName">Where they lie.</param>
/// <param name="expected">The hash that names them.</param>
/// <param name="actual">The hash they have.</param>
[GenerateSerializer]
[Alias("corrupt-object")]
public sealed class CorruptObjectException(string blobName, ContentHash expected, ContentHash actual)
    : IOException($"The stored object '{blobName}' is corrupt: its SHA-256 is {actual}, its name says {expected}. Delete it and store it again, or restore it from a backup.")
{
    // Kept as text, which crosses from silo to silo as it is.
    [Id(0)]
    private readonly string _expected = expected.Hex;

    [Id(1)]
    private readonly string _actual = actual.Hex;

    /// <summary>The hash that names the object.</summary>
    public ContentHash Expected => ContentHash.Parse(_expected);

    /// <summary>The hash that the stored bytes have.</summary>
    public ContentHash Actual => ContentHash.Parse(_actual);
}
