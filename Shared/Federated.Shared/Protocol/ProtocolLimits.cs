namespace Federated.Shared.Protocol;

/// <summary>The limits both ends of the wire agree on. Lengths are checked against them before anything is allocated.</summary>
public static class ProtocolLimits
{
    /// <summary>The protocol this software speaks.</summary>
    public const uint Version = 1;

    /// <summary>Bytes of data in one transfer chunk: below the large-object heap, above the cost of a message.</summary>
    public const int ChunkBytes = 63 * 1024;

    /// <summary>Largest gRPC message accepted by either end.</summary>
    public const int MaxMessageBytes = 1024 * 1024;

    /// <summary>Largest plan document.</summary>
    public const int MaxPlanBytes = 64 * 1024;

    /// <summary>Largest object a client downloads.</summary>
    public const long MaxDownloadBytes = 8L * 1024 * 1024 * 1024;

    /// <summary>Longest address of an object in the server's store, in bytes of UTF-8.</summary>
    public const int MaxAddressBytes = 4096;

    /// <summary>Largest number of trainable parameters.</summary>
    public const int MaxParameters = 500_000_000;

    /// <summary>Most examples one update may speak for.</summary>
    public const int MaxExamples = 10_000_000;

    /// <summary>Highest number of an aggregation group in a plan. Headers count attempts above it.</summary>
    public const int MaxGroup = 0xFFFF;

    /// <summary>Longest identifier of a device, population or job.</summary>
    public const int MaxIdentifierLength = 128;

    /// <summary>Longest text in a document or message.</summary>
    public const int MaxTextLength = 500;

    /// <summary>Bytes that gRPC adds before each message: a flag and a length.</summary>
    public const int MessagePrefixBytes = 5;

    /// <summary>Whether the text is 1 to 128 characters of A–Z a–z 0–9 . _ - and does not begin with a dot.</summary>
    public static bool IsIdentifier(string? text) =>
        text is { Length: > 0 and <= MaxIdentifierLength } && text[0] != '.'
        && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-');
}
