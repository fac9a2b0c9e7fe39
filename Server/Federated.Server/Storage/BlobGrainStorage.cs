using System.Buffers;
using System.Text.Json;
using Orleans.Serialization.Serializers;
using Orleans.Storage;

namespace Federated.Server.Storage;

/// <summary>
/// Persistent grain state in <paramref name="blobs"/>, one readable JSON blob a grain and state (<see cref="GrainStateNames"/>). The blob's
/// ETag guards every write: of two activations that believe to own a grain, the second to write fails and is deactivated.
/// </summary>
/// <param name="blobs">Where the state lies.</param>
/// <param name="activators">Makes the empty states of grains that have none stored, as Orleans itself does.</param>
internal sealed class BlobGrainStorage(IBlobStore blobs, IActivatorProvider activators) : IGrainStorage
{
    /// <inheritdoc/>
    public Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
        ReadStateAsync(stateName, grainId, grainState, CancellationToken.None);

    /// <inheritdoc/>
    public async Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState, CancellationToken cancellationToken)
    {
        string name = GrainStateNames.BlobName(stateName, grainId);
        Blob? blob = await blobs.ReadAsync(name, cancellationToken).ConfigureAwait(false);
        if (blob is null)
        {
            Empty(grainState);
            return;
        }

        grainState.State = Parse<T>(name, blob.Content) ?? activators.GetActivator<T>().Create();
        grainState.ETag = blob.ETag;
        grainState.RecordExists = true;
    }

    /// <inheritdoc/>
    public Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
        WriteStateAsync(stateName, grainId, grainState, CancellationToken.None);

    /// <inheritdoc/>
    public async Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState, CancellationToken cancellationToken)
    {
        string name = GrainStateNames.BlobName(stateName, grainId);
        byte[] json = JsonSerializer.SerializeToUtf8Bytes(grainState.State, GrainStateJson.Options);
        WriteCondition condition = string.IsNullOrEmpty(grainState.ETag) ? WriteCondition.IfAbsent : WriteCondition.IfMatch(grainState.ETag);
        try
        {
            grainState.ETag = await blobs.WriteAsync(name, new ReadOnlySequence<byte>(json), condition, cancellationToken).ConfigureAwait(false);
            grainState.RecordExists = true;
        }
        catch (BlobConflictException)
        {
            throw Inconsistent("written", name, grainState.ETag);
        }
    }

    /// <inheritdoc/>
    public Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
        ClearStateAsync(stateName, grainId, grainState, CancellationToken.None);

    /// <inheritdoc/>
    public async Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState, CancellationToken cancellationToken)
    {
        string name = GrainStateNames.BlobName(stateName, grainId);
        try
        {
            if (!string.IsNullOrEmpty(grainState.ETag))
            {
                await blobs.DeleteAsync(name, WriteCondition.IfMatch(grainState.ETag), cancellationToken).ConfigureAwait(false);
            }
            else if (await blobs.ExistsAsync(name, cancellationToken).ConfigureAwait(false))
            {
                throw new BlobConflictException(name, WriteCondition.IfAbsent);
            }
        }
        catch (BlobConflictException)
        {
            throw Inconsistent("cleared", name, grainState.ETag);
        }

        Empty(grainState);
    }

    private static T? Parse<T>(string name, ReadOnlyMemory<byte> json)
    {
        try
        {
            return JsonSerializer.Deserialize<T>(json.Span, GrainStateJson.Options);
        }
        catch (JsonException e)
        {
            throw new IOException($"The grain state in blob '{name}' cannot be read as {typeof(T).Name}: {e.Message} Restore the blob from a backup, or delete it to begin anew.", e);
        }
    }

    private static InconsistentStateException Inconsistent(string action, string name, string? eTag) => new(
        $"The grain state in blob '{name}' was not {action}: it is no longer the version this activation has read.",
        "another",
        string.IsNullOrEmpty(eTag) ? "none" : eTag);

    private void Empty<T>(IGrainState<T> grainState)
    {
        grainState.State = activators.GetActivator<T>().Create();
        grainState.ETag = null!;
        grainState.RecordExists = false;
    }
}
