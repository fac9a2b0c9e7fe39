using System.Buffers;
using Federated.Server.Storage;

namespace Federated.Server.Tests.Storage;

/// <summary>A store without a blob, which counts what it is to write, and takes nothing while its disk is full.</summary>
internal sealed class FullDisk : IBlobStore
{
    private const int NoSpaceLeft = 28;

    /// <summary>Whether writes fail.</summary>
    public bool IsFull { get; set; } = true;

    /// <summary>Writes that were tried.</summary>
    public int Writes { get; private set; }

    /// <summary>What a write waits for.</summary>
    public Task Before { get; set; } = Task.CompletedTask;

    /// <summary>What .NET throws on a full disk.</summary>
    public static IOException Failure() => new("No space left on device : '/data/store/objects/ab/~8de'", NoSpaceLeft);

    public Task<Blob?> ReadAsync(string name, CancellationToken cancellationToken) => Task.FromResult<Blob?>(null);

    public Task<Stream?> OpenReadAsync(string name, long offset, CancellationToken cancellationToken) => Task.FromResult<Stream?>(null);

    public async Task<string> WriteAsync(string name, ReadOnlySequence<byte> content, WriteCondition condition, CancellationToken cancellationToken)
    {
        Writes++;
        await Before;
        return IsFull ? throw Failure() : "1";
    }

    public Task<bool> DeleteAsync(string name, WriteCondition condition, CancellationToken cancellationToken) => Task.FromResult(false);

    public IAsyncEnumerable<string> ListAsync(string prefix, CancellationToken cancellationToken) => AsyncEnumerable.Empty<string>();

    public Task<long?> LengthAsync(string name, CancellationToken cancellationToken) => Task.FromResult<long?>(null);

    public Task<bool> ExistsAsync(string name, CancellationToken cancellationToken) => Task.FromResult(false);
}
