using System.Buffers;
using System.Runtime.CompilerServices;
using Azure;
using Azure.Core;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Sas;

namespace Federated.Server.Storage;

/// <summary>
/// Blobs as block blobs of one container in Azure Blob Storage or a service that speaks its protocol. The container is created at first
/// use if it is absent. Conditions travel as <c>If-Match</c> and <c>If-None-Match</c>; ETags are the service's own.
/// </summary>
/// <remarks>
/// A request is repeated when the connection or the service fails (<see cref="MaxRetries"/> times, exponentially later). When the answer
/// to a conditional write is lost and the write had happened, its repetition finds the new version and the writer sees a conflict: a
/// <see cref="BlobConflictException"/> therefore always means "read again", never "it was certainly someone else". Listing is in
/// ordinal order in accounts without a hierarchical namespace.
/// </remarks>
internal sealed class AzureBlobStore : IBlobStore, IAddressableBlobs
{
    private const int MaxRetries = 4;

    // The text itself holds the account's key, so it is not repeated.
    private const string Malformed = "is not well-formed; expected is 'DefaultEndpointsProtocol=…;AccountName=…;AccountKey=…;BlobEndpoint=…', as the account's page of access keys shows it.";

    private readonly BlobContainerClient _container;
    private volatile bool _containerExists;

    /// <summary>Names the container; no request is made yet.</summary>
    /// <exception cref="ArgumentException">The connection string or the container's name is not well-formed.</exception>
    public AzureBlobStore(string connectionString, string container)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(connectionString);
        ArgumentException.ThrowIfNullOrWhiteSpace(container);
        BlobClientOptions options = new()
        {
            Retry =
            {
                Mode = RetryMode.Exponential,
                MaxRetries = MaxRetries,
                Delay = TimeSpan.FromMilliseconds(200),
                MaxDelay = TimeSpan.FromSeconds(5),
                NetworkTimeout = TimeSpan.FromSeconds(60),
            },
        };
        try
        {
            _container = new BlobContainerClient(connectionString, container, options);
        }
        catch (FormatException e)
        {
            throw new ArgumentException($"The connection string of the blob store {Malformed}", nameof(connectionString), e);
        }
    }

    /// <summary>Why a text is no connection string, with what is allowed; null when it is one.</summary>
    public static string? ConnectionFault(string connectionString)
    {
        try
        {
            _ = new BlobServiceClient(connectionString);
            return null;
        }
        catch (FormatException)
        {
            return Malformed;
        }
    }

    /// <summary>Why addresses for reading cannot be handed out, with the way out; null when they can.</summary>
    /// <exception cref="ArgumentException">The connection string or the container's name is not well-formed.</exception>
    public static string? AddressFault(string connectionString, string container)
    {
        BlobContainerClient client = new AzureBlobStore(connectionString, container)._container;
        return !client.CanGenerateSasUri ? "the connection string has no account key, which signs addresses. Use one that has, or leave direct downloads out."
            : client.Uri.Scheme != Uri.UriSchemeHttps && !client.Uri.IsLoopback ? $"the store's endpoint {client.Uri.GetLeftPart(UriPartial.Authority)} is not https: addresses could be read on the way. Use https."
            : null;
    }

    /// <inheritdoc/>
    public Uri ReadAddress(string name, DateTimeOffset until)
    {
        BlobNames.Check(name);
        return _container.GetBlobClient(name).GenerateSasUri(new BlobSasBuilder(BlobSasPermissions.Read, until)
        {
            Protocol = _container.Uri.IsLoopback ? SasProtocol.HttpsAndHttp : SasProtocol.Https,
        });
    }

    /// <inheritdoc/>
    public Task<Blob?> ReadAsync(string name, CancellationToken cancellationToken) => Ask<Blob?>("read", name, async blob =>
    {
        Response<BlobDownloadStreamingResult> response = await blob.DownloadStreamingAsync(cancellationToken: cancellationToken).ConfigureAwait(false);
        using BlobDownloadStreamingResult result = response.Value;
        long length = result.Details.ContentLength;
        if (length > Array.MaxLength)
        {
            throw new IOException($"Blob '{name}' has {length} bytes; at most {Array.MaxLength} can be read at once. Open it as a stream.");
        }

        byte[] content = GC.AllocateUninitializedArray<byte>((int)length);
        await result.Content.ReadExactlyAsync(content, cancellationToken).ConfigureAwait(false);
        return new Blob(content, result.Details.ETag.ToString());
    }, cancellationToken);

    /// <inheritdoc/>
    public Task<Stream?> OpenReadAsync(string name, long offset, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        return Ask<Stream?>("read", name, async blob =>
        {
            // The service refuses any range of an empty blob, and a range that begins at the end.
            BlobDownloadOptions options = new() { Range = offset == 0 ? default : new HttpRange(offset) };
            try
            {
                Response<BlobDownloadStreamingResult> response = await blob.DownloadStreamingAsync(options, cancellationToken).ConfigureAwait(false);
                return new AzureReadStream(response.Value.Content, (e, token) => Failure("read", name, e, token));
            }
            catch (RequestFailedException e) when (e.Status == 416)
            {
                Response<BlobProperties> properties = await blob.GetPropertiesAsync(cancellationToken: cancellationToken).ConfigureAwait(false);
                long length = properties.Value.ContentLength;
                return offset == length
                    ? Stream.Null
                    : throw new ArgumentOutOfRangeException(nameof(offset), offset, $"Blob '{name}' has only {length} bytes.");
            }
        }, cancellationToken);
    }

    /// <inheritdoc/>
    public async Task<string> WriteAsync(string name, ReadOnlySequence<byte> content, WriteCondition condition, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(condition);
        BlobUploadOptions options = new() { Conditions = Conditions(condition) };
        string? eTag = await Ask<string?>("write", name, async blob =>
        {
            using SequenceStream stream = new(content);
            try
            {
                Response<BlobContentInfo> response = await blob.UploadAsync(stream, options, cancellationToken).ConfigureAwait(false);
                return response.Value.ETag.ToString();
            }
            catch (RequestFailedException e) when (IsConflict(e, condition))
            {
                throw new BlobConflictException(name, condition);
            }
        }, cancellationToken).ConfigureAwait(false);
        return eTag ?? throw new IOException($"Cannot write blob '{name}': the service answered that it does not exist.");
    }

    /// <inheritdoc/>
    public Task<bool> DeleteAsync(string name, WriteCondition condition, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(condition);
        return condition.MustBeAbsent
            ? throw new ArgumentException("A deletion cannot ask for the blob to be absent.", nameof(condition))
            : Ask("delete", name, async blob =>
            {
                try
                {
                    Response<bool> response = await blob.DeleteIfExistsAsync(DeleteSnapshotsOption.IncludeSnapshots, Conditions(condition), cancellationToken).ConfigureAwait(false);
                    return response.Value;
                }
                catch (RequestFailedException e) when (e.Status == 412)
                {
                    // Some services check the condition before they look whether there is a blob at all.
                    return await blob.ExistsAsync(cancellationToken).ConfigureAwait(false)
                        ? throw new BlobConflictException(name, condition)
                        : false;
                }
            }, cancellationToken);
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<string> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        BlobNames.CheckPrefix(prefix);
        await EnsureContainer(cancellationToken).ConfigureAwait(false);
        GetBlobsOptions options = new() { Prefix = prefix };
        await using IAsyncEnumerator<BlobItem> blobs = _container.GetBlobsAsync(options, cancellationToken).GetAsyncEnumerator(cancellationToken);
        while (true)
        {
            try
            {
                if (!await blobs.MoveNextAsync().ConfigureAwait(false))
                {
                    yield break;
                }
            }
            catch (Exception e) when (Failure("list", prefix, e, cancellationToken) is IOException failure)
            {
                throw failure;
            }

            yield return blobs.Current.Name;
        }
    }

    /// <inheritdoc/>
    public Task<long?> LengthAsync(string name, CancellationToken cancellationToken) => Ask<long?>("look up", name, async blob =>
    {
        Response<BlobProperties> response = await blob.GetPropertiesAsync(cancellationToken: cancellationToken).ConfigureAwait(false);
        return response.Value.ContentLength;
    }, cancellationToken);

    /// <inheritdoc/>
    public async Task<bool> ExistsAsync(string name, CancellationToken cancellationToken) =>
        await LengthAsync(name, cancellationToken).ConfigureAwait(false) is not null;

    private static BlobRequestConditions? Conditions(WriteCondition condition) => condition switch
    {
        { MustBeAbsent: true } => new BlobRequestConditions { IfNoneMatch = ETag.All },
        { ETag: string eTag } => new BlobRequestConditions { IfMatch = new ETag(eTag) },
        _ => null,
    };

    private static bool IsConflict(RequestFailedException e, WriteCondition condition) =>
        e.Status == 412
        || (condition.MustBeAbsent && e.ErrorCode == BlobErrorCode.BlobAlreadyExists)
        || (condition.ETag is not null && e.ErrorCode == BlobErrorCode.BlobNotFound);

    /// <summary>Runs one operation on a blob; a blob that is absent gives the default answer.</summary>
    private async Task<T?> Ask<T>(string action, string name, Func<BlobClient, Task<T>> operation, CancellationToken cancellationToken)
    {
        BlobNames.Check(name);
        await EnsureContainer(cancellationToken).ConfigureAwait(false);
        try
        {
            return await operation(_container.GetBlobClient(name)).ConfigureAwait(false);
        }
        catch (RequestFailedException e) when (e.Status == 404 && e.ErrorCode != BlobErrorCode.ContainerNotFound)
        {
            return default;
        }
        catch (Exception e) when (Failure(action, name, e, cancellationToken) is IOException failure)
        {
            throw failure;
        }
    }

    private async Task EnsureContainer(CancellationToken cancellationToken)
    {
        if (_containerExists)
        {
            return;
        }

        try
        {
            await _container.CreateIfNotExistsAsync(cancellationToken: cancellationToken).ConfigureAwait(false);
            _containerExists = true;
        }
        catch (Exception e) when (Failure("create the container for", _container.Name, e, cancellationToken) is IOException failure)
        {
            throw failure;
        }
    }

    /// <summary>
    /// What the service or the way to it threw, as the one kind of exception that callers know; null for anything else. It holds no
    /// exception of the client library: that could neither be understood outside nor travel between silos.
    /// </summary>
    private IOException? Failure(string action, string name, Exception e, CancellationToken cancellationToken)
    {
        string? reason = e switch
        {
            RequestFailedException { Status: > 0 } failed => $"the service answered {failed.Status} {failed.ErrorCode}",
            RequestFailedException failed => failed.Message,
            AggregateException { InnerExceptions: [.., Exception last] } => $"the last of {MaxRetries + 1} attempts failed with: {last.Message}",
            OperationCanceledException when !cancellationToken.IsCancellationRequested => "the service did not answer in time",
            _ => null,
        };
        return reason is null
            ? null
            : new IOException($"Cannot {action} blob '{name}' in container '{_container.Name}' at {_container.Uri.GetLeftPart(UriPartial.Authority)}: {reason}.");
    }
}
