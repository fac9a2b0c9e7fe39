using System.Buffers;
using System.Collections.Concurrent;
using Microsoft.AspNetCore.Connections;

namespace Federated.Server.Hosting;

/// <summary>
/// Blocks for Kestrel's pipes, larger than its own of 4 KiB: a block is what one system call reads, and updates come by the megabyte.
/// Thread-safe. Blocks are pinned, go back to the pool when their owner is disposed, and leave it when more than
/// <see cref="KeptBlocks"/> lie idle.
/// </summary>
internal sealed class TransferMemoryPool : MemoryPool<byte>
{
    /// <summary>A frame of HTTP/2 is at most 16 KiB as both ends send it; a block takes one and its header.</summary>
    public const int BlockBytes = 32 << 10;

    /// <summary>Idle blocks kept: 16 MiB.</summary>
    public const int KeptBlocks = 512;

    private readonly ConcurrentStack<byte[]> _idle = [];
    private int _idleCount;

    /// <inheritdoc/>
    public override int MaxBufferSize => BlockBytes;

    /// <inheritdoc/>
    public override IMemoryOwner<byte> Rent(int minBufferSize = -1)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(minBufferSize, BlockBytes);
        if (!_idle.TryPop(out byte[]? block))
        {
            return new Block(this, GC.AllocateUninitializedArray<byte>(BlockBytes, pinned: true));
        }

        Interlocked.Decrement(ref _idleCount);
        return new Block(this, block);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing) => _idle.Clear();

    private void Return(byte[] block)
    {
        if (Interlocked.Increment(ref _idleCount) <= KeptBlocks)
        {
            _idle.Push(block);
        }
        else
        {
            Interlocked.Decrement(ref _idleCount);
        }
    }

    private sealed class Block(TransferMemoryPool pool, byte[] bytes) : IMemoryOwner<byte>
    {
        private byte[]? _bytes = bytes;

        public Memory<byte> Memory => _bytes ?? throw new ObjectDisposedException(nameof(Block));

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _bytes, null) is { } block)
            {
                pool.Return(block);
            }
        }
    }
}

/// <summary>Hands Kestrel the pool of large blocks.</summary>
internal sealed class TransferMemoryPoolFactory : IMemoryPoolFactory<byte>
{
    /// <inheritdoc/>
    public MemoryPool<byte> Create(MemoryPoolOptions? options = null) => new TransferMemoryPool();
}
