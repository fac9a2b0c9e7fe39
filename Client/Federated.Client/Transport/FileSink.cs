using Federated.Shared.Models;
using Federated.Shared.Protocol;
using Microsoft.Win32.SafeHandles;

namespace Federated.Client.Transport;

/// <summary>
/// Downloads into <c>HASH.part</c> and renames it when it is verified, so that a file under its final name is always whole. A part left
/// by an earlier run is hashed and continued.
/// </summary>
internal sealed class FileSink : VerifiedSink
{
    private readonly string _partPath;
    private readonly long _limitBytes;
    private readonly BoundedFolder? _room;
    private readonly SafeFileHandle _file;

    /// <summary>Opens or continues the part.</summary>
    /// <param name="content">What is downloaded.</param>
    /// <param name="name">What it is, for messages.</param>
    /// <param name="folder">Where it goes.</param>
    /// <param name="limitBytes">The longest that it may be.</param>
    /// <param name="room">Makes room for it; nobody when null.</param>
    /// <exception cref="IOException">The folder cannot be written, or another process downloads the same object into it.</exception>
    public FileSink(ContentHash content, string name, string folder, long limitBytes, BoundedFolder? room = null)
        : base(content, name)
    {
        _partPath = Path.Combine(folder, content.Hex + ".part");
        _limitBytes = limitBytes;
        _room = room;
        _file = File.OpenHandle(_partPath, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        byte[] buffer = new byte[ProtocolLimits.ChunkBytes];
        int read;
        while ((read = RandomAccess.Read(_file, buffer, Position)) > 0)
        {
            Resume(buffer.AsSpan(0, read));
        }
    }

    /// <summary>Makes the verified part durable under its final name.</summary>
    public void Commit(string path)
    {
        RandomAccess.FlushToDisk(_file);
        _file.Dispose();
        File.Move(_partPath, path, overwrite: true);
    }

    /// <inheritdoc/>
    protected override void Begin(long totalLength)
    {
        if (totalLength > _limitBytes)
        {
            throw new ProtocolViolationException(
                ErrorCode.LimitExceeded, $"The {Name} has {totalLength} bytes, the limit is {_limitBytes}.");
        }

        _room?.MakeRoom(_partPath, totalLength);

        // A part longer than the object is of no use; shorter ones end where the download goes on.
        RandomAccess.SetLength(_file, Position);
    }

    /// <inheritdoc/>
    protected override void Write(long offset, ReadOnlySpan<byte> bytes) => RandomAccess.Write(_file, bytes, offset);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _file.Dispose();
        }

        base.Dispose(disposing);
    }
}
