using System.Collections.Concurrent;
using System.Security.Cryptography;
using Federated.Client.Engines;
using Federated.Shared.Models;
using Federated.Shared.Protocol;
using Federated.Training;
using Federated.Training.Engine;

namespace Federated.Client.Transport;

/// <summary>
/// Model packages by the hash of their manifest, fetched and loaded once for all sessions that share the cache; with a folder, fetched once
/// for all runs of the process. Frozen weights are streamed into a file, verified there and mapped: every session shares them. Thread-safe. Dispose it
/// after the sessions.
/// </summary>
public sealed class ModelCache : IDisposable
{
    private const long MaxManifestBytes = 16 * 1024 * 1024;
    private const string AdapterName = "adapter";

    private readonly ModelCacheOptions _options;
    private readonly ITrainingEngine _engine;
    private readonly ConcurrentDictionary<(ContentHash Manifest, ModelUse Use), Entry> _entries = new();
    private readonly Lazy<string> _weightsFolder;
    private readonly BoundedFolder? _room;
    private bool _disposed;

    /// <summary>An empty cache.</summary>
    /// <param name="options">Where and how.</param>
    /// <param name="engine">What trains the packages; ONNX Runtime with one thread an operator when null.</param>
    /// <exception cref="IOException">The folder cannot be made.</exception>
    public ModelCache(ModelCacheOptions options, ITrainingEngine? engine = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.TrainingThreads, 1);
        _options = options;
        _engine = engine ?? new OnnxTrainingEngine(new OnnxEngineOptions());
        _weightsFolder = new Lazy<string>(() => options.Folder ?? Directory.CreateTempSubdirectory("federated-").FullName);
        if (options.Folder is not null)
        {
            Directory.CreateDirectory(options.Folder);
            _room = new BoundedFolder(options.Folder, options.MaxFolderBytes, options.Time, options.LeastFreeBytes);
        }
    }

    /// <summary>Gives the package, fetching and loading it if it is not here. Who comes while it is fetched waits for it.</summary>
    /// <param name="manifest">Hash of its manifest.</param>
    /// <param name="use">What it is to do; each use has a graph of its own.</param>
    /// <param name="scope">The device's connection and counters.</param>
    /// <param name="cancellationToken">Gives up waiting or fetching.</param>
    /// <exception cref="ProtocolViolationException">The package is not what its hash says, or not one this software can run.</exception>
    /// <exception cref="ServerLinkException">The server refuses.</exception>
    /// <exception cref="InvalidDataException">The engine cannot run the graph.</exception>
    public async Task<CachedModel> GetAsync(ContentHash manifest, ModelUse use, TransferScope scope, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(scope);
        ObjectDisposedException.ThrowIf(_disposed, this);
        Entry entry = _entries.GetOrAdd((manifest, use), _ => new Entry());
        if (entry.Model is null)
        {
            // Whoever holds the gate loads on its own time; when it gives up, the next in the queue takes over.
            await entry.Gate.WaitAsync(cancellationToken).ConfigureAwait(false);
            try
            {
                if (entry.Model is null)
                {
                    if (_options.OnePackageInMemory)
                    {
                        FreeOthers(manifest);
                    }

                    long up = scope.Counter.Up;
                    long down = scope.Counter.Down;
                    entry.Model = await LoadAsync(manifest, use, scope, cancellationToken).ConfigureAwait(false);
                    entry.BytesUp = scope.Counter.Up - up;
                    entry.BytesDown = scope.Counter.Down - down;
                    entry.Charged.TryAdd(scope.DeviceId, true);
                }
            }
            finally
            {
                entry.Gate.Release();
            }
        }

        if (_options.ChargeEveryDevice && entry.Charged.TryAdd(scope.DeviceId, true))
        {
            scope.Counter.Add(entry.BytesUp, entry.BytesDown);
        }

        return entry.Model;
    }

    /// <summary>
    /// Fetches a round's adapter. With a folder, one of more than a chunk is received into a file there, so that a device that loses power goes on where it was; the
    /// adapters of earlier rounds are deleted. A disk that does not take it costs only that.
    /// </summary>
    /// <param name="hash">Its hash.</param>
    /// <param name="destination">Receives the document; no other length is taken.</param>
    /// <param name="scope">The device's connection and counters.</param>
    /// <param name="cancellationToken">Gives up fetching.</param>
    /// <exception cref="ProtocolViolationException">What the server sends is not the adapter.</exception>
    /// <exception cref="ServerLinkException">The server refuses.</exception>
    public async Task FetchAdapterAsync(ContentHash hash, Memory<byte> destination, TransferScope scope, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(scope);
        if (_options.Folder is not null && destination.Length > ProtocolLimits.ChunkBytes)
        {
            try
            {
                await FetchAdapterFileAsync(hash, destination, scope, cancellationToken).ConfigureAwait(false);
                return;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
            }
        }

        using MemorySink sink = new(hash, AdapterName, destination);
        await ResumableDownload.RunAsync(sink, scope, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Fetches a short document that belongs to a round, into memory.</summary>
    /// <param name="reference">What it is; no other length is taken.</param>
    /// <param name="name">What it is called in messages.</param>
    /// <param name="scope">The device's connection and counters.</param>
    /// <param name="cancellationToken">Gives up fetching.</param>
    /// <exception cref="ProtocolViolationException">What the server sends is not the document.</exception>
    /// <exception cref="ServerLinkException">The server refuses.</exception>
    public static async Task<byte[]> FetchDocumentAsync(ObjectReference reference, string name, TransferScope scope, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(scope);
        using MemorySink sink = new(reference.Hash, name, reference.LengthBytes);
        await ResumableDownload.RunAsync(sink, scope, cancellationToken).ConfigureAwait(false);
        return sink.TakeArray();
    }

    /// <summary>Deletes packages, those used longest ago first, until the disk has free what it is to keep.</summary>
    /// <exception cref="IOException">The folder cannot be read, or a file not be deleted.</exception>
    /// <exception cref="UnauthorizedAccessException">Likewise.</exception>
    public void KeepFree() => _room?.KeepFree();

    /// <summary>Frees every model and workspace.</summary>
    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        foreach (Entry entry in _entries.Values)
        {
            entry.Dispose();
        }

        if (_options.Folder is null && _weightsFolder.IsValueCreated)
        {
            Directory.Delete(_weightsFolder.Value, recursive: true);
        }
    }

    private void FreeOthers(ContentHash manifest)
    {
        foreach ((ContentHash Manifest, ModelUse Use) key in _entries.Keys.Where(key => key.Manifest != manifest))
        {
            if (_entries.TryRemove(key, out Entry? other))
            {
                other.Dispose();
            }
        }
    }

    private async Task<CachedModel> LoadAsync(ContentHash hash, ModelUse use, TransferScope scope, CancellationToken cancellationToken)
    {
        PackageManifest manifest = PackageManifest.FromBytes(
            await FetchAsync(hash, "package manifest", MaxManifestBytes, scope, cancellationToken).ConfigureAwait(false));
        if (manifest is { Parameters.Count: 1, Gradient.LengthBytes: 0 })
        {
            return new CachedModel(manifest, null);
        }

        PackageFile file = _engine.GraphOf(manifest, use);
        if (file.LengthBytes == 0)
        {
            throw new InvalidDataException($"Package '{manifest.Name}' has no graph of {(use == ModelUse.Losses ? "losses" : "gradients")}, which the plan needs.");
        }

        GraphSource graph = manifest.FrozenWeights.Count == 0
            ? await FetchAsync(
                ContentHash.Parse(file.Sha256), $"graph of package '{manifest.Name}'", _options.MaxFileBytes, scope, cancellationToken).ConfigureAwait(false)
            : GraphSource.FromFile(await FetchFilesAsync(manifest, file, scope, cancellationToken).ConfigureAwait(false));

        // Opening a graph is seconds of work for a large model.
        ITrainableModel model = await Task.Run(() => _engine.Load(manifest, use, graph), cancellationToken).ConfigureAwait(false);
        return new CachedModel(manifest, new WorkspacePool(model, _options.TrainingThreads));
    }

    private async Task FetchAdapterFileAsync(ContentHash hash, Memory<byte> destination, TransferScope scope, CancellationToken cancellationToken)
    {
        string folder = Directory.CreateDirectory(Path.Combine(_options.Folder!, "adapters")).FullName;
        string path = Path.Combine(folder, hash.Hex);
        foreach (string other in Directory.EnumerateFiles(folder).Where(file => !Path.GetFileName(file).StartsWith(hash.Hex, StringComparison.Ordinal)))
        {
            File.Delete(other);
        }

        if (await ReadVerifiedAsync(path, hash, cancellationToken).ConfigureAwait(false) is not { } document)
        {
            using FileSink sink = new(hash, AdapterName, folder, destination.Length);
            await ResumableDownload.RunAsync(sink, scope, cancellationToken).ConfigureAwait(false);
            sink.Commit(path);
            document = await File.ReadAllBytesAsync(path, cancellationToken).ConfigureAwait(false);
        }

        if (document.Length != destination.Length)
        {
            throw new ProtocolViolationException(
                ErrorCode.LimitExceeded, $"The {AdapterName} has {document.Length} bytes; announced were {destination.Length}.");
        }

        document.CopyTo(destination);
    }

    /// <summary>Fetches a graph and the weights that it names into one folder, each under its hash; gives the graph's path.</summary>
    private async Task<string> FetchFilesAsync(PackageManifest manifest, PackageFile graph, TransferScope scope, CancellationToken cancellationToken)
    {
        long all = graph.LengthBytes + manifest.FrozenWeights.Sum(weights => weights.LengthBytes);
        if (all > _options.MaxFolderBytes)
        {
            throw new InvalidDataException(
                $"Package '{manifest.Name}' has {all} bytes, and the folder of packages is kept below {_options.MaxFolderBytes}. Raise --cache-mebibytes, or give the device a smaller model.");
        }

        foreach (PackageFile weights in manifest.FrozenWeights)
        {
            _ = await FetchFileAsync(weights, $"frozen weights of package '{manifest.Name}'", scope, cancellationToken).ConfigureAwait(false);
        }

        return await FetchFileAsync(graph, $"graph of package '{manifest.Name}'", scope, cancellationToken).ConfigureAwait(false);
    }

    private async Task<string> FetchFileAsync(PackageFile file, string name, TransferScope scope, CancellationToken cancellationToken)
    {
        ContentHash hash = ContentHash.Parse(file.Sha256);
        string path = Path.Combine(_weightsFolder.Value, hash.Hex);
        _room?.Touch(path);
        if (!await IsVerifiedAsync(path, hash, cancellationToken).ConfigureAwait(false))
        {
            using FileSink sink = new(hash, name, _weightsFolder.Value, _options.MaxFileBytes, _room);
            await ResumableDownload.RunAsync(sink, scope, cancellationToken).ConfigureAwait(false);
            sink.Commit(path);
        }

        return path;
    }

    private async Task<byte[]> FetchAsync(
        ContentHash hash, string name, long limitBytes, TransferScope scope, CancellationToken cancellationToken)
    {
        if (_options.Folder is not { } folder)
        {
            using MemorySink sink = new(hash, name, limitBytes);
            await ResumableDownload.RunAsync(sink, scope, cancellationToken).ConfigureAwait(false);
            return sink.TakeArray();
        }

        string path = Path.Combine(folder, hash.Hex);
        _room?.Touch(path);
        if (await ReadVerifiedAsync(path, hash, cancellationToken).ConfigureAwait(false) is { } kept)
        {
            return kept;
        }

        using (FileSink sink = new(hash, name, folder, limitBytes, _room))
        {
            await ResumableDownload.RunAsync(sink, scope, cancellationToken).ConfigureAwait(false);
            sink.Commit(path);
        }

        return await File.ReadAllBytesAsync(path, cancellationToken).ConfigureAwait(false);
    }

    // A file that does not hash to its name (a failing card, a curious hand) is fetched anew.
    private static async Task<byte[]?> ReadVerifiedAsync(string path, ContentHash hash, CancellationToken cancellationToken)
    {
        if (!File.Exists(path))
        {
            return null;
        }

        byte[] bytes = await File.ReadAllBytesAsync(path, cancellationToken).ConfigureAwait(false);
        return ContentHash.Of(bytes) == hash ? bytes : null;
    }

    private static async Task<bool> IsVerifiedAsync(string path, ContentHash hash, CancellationToken cancellationToken)
    {
        if (!File.Exists(path))
        {
            return false;
        }

        await using FileStream stream = File.OpenRead(path);
        return ContentHash.FromBytes(await SHA256.HashDataAsync(stream, cancellationToken).ConfigureAwait(false)) == hash;
    }

    private sealed class Entry : IDisposable
    {
        public SemaphoreSlim Gate { get; } = new(1, 1);

        public ConcurrentDictionary<string, bool> Charged { get; } = new(StringComparer.Ordinal);

        public volatile CachedModel? Model;

        public long BytesUp;

        public long BytesDown;

        public void Dispose()
        {
            Model?.Workspaces?.Dispose();
            Model?.Workspaces?.Model.Dispose();
            Gate.Dispose();
        }
    }
}
