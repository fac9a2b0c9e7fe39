namespace Federated.Server.Storage;

/// <summary>One version of a blob.</summary>
/// <param name="Content">All of its bytes; the reader owns them.</param>
/// <param name="ETag">Names this version, for <see cref="WriteCondition.IfMatch"/>.</param>
public sealed record Blob(ReadOnlyMemory<byte> Content, string ETag);
