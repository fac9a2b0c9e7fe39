using System.Buffers.Binary;

namespace Federated.Server.Storage.Tests.Storage;

/// <summary>The process that a crash test kills: it replaces one blob again and again and prints each acknowledged version.</summary>
internal static class CrashWriter
{
    public const string Command = "write-until-killed";
    public const string BlobName = "crash/blob";

    /// <summary>Writes version after version until standard output closes.</summary>
    public static async Task<int> Run(string folder)
    {
        using FileBlobStore store = new(folder, new FileBlobStoreOptions(), TimeProvider.System);
        Blob? blob = await store.ReadAsync(BlobName, CancellationToken.None);
        for (long version = blob is null ? 1 : Version(blob.Content.Span) + 1; ; version++)
        {
            await store.WriteAsync(BlobName, Sequences.Split(Content(version), 10_000), WriteCondition.Always, CancellationToken.None);
            await Console.Out.WriteLineAsync($"{version}");
            await Console.Out.FlushAsync();
        }
    }

    /// <summary>The version of a whole blob.</summary>
    /// <exception cref="InvalidDataException">The blob is not what one write wrote.</exception>
    public static long Version(ReadOnlySpan<byte> content)
    {
        long version = content.Length >= sizeof(long) ? BinaryPrimitives.ReadInt64LittleEndian(content) : 0;
        return content.SequenceEqual(Content(version))
            ? version
            : throw new InvalidDataException($"A blob of {content.Length} bytes that begins with version {version} is torn.");
    }

    // Length and every word depend on the version, so that a mixture of two shows.
    private static byte[] Content(long version)
    {
        byte[] content = new byte[sizeof(long) * (20_000 + 10_000 * (int)(version % 7))];
        for (int i = 0; i < content.Length; i += sizeof(long))
        {
            BinaryPrimitives.WriteInt64LittleEndian(content.AsSpan(i), version);
        }

        return content;
    }
}
