using Federated.Server.Jobs;
using Federated.Server.Storage;
using Federated.Shared.Models;
using Federated.Shared.Protocol;

namespace Federated.Server.Api;

/// <summary>An object of the store.</summary>
/// <param name="Sha256">Its name.</param>
/// <param name="LengthBytes">Its length.</param>
public sealed record ObjectDescription(string Sha256, long LengthBytes);

/// <summary>A package of the store.</summary>
/// <param name="Package">The hash of its manifest, which a job names.</param>
/// <param name="Name">Its name for people.</param>
public sealed record PackageDescription(string Package, string Name);

/// <summary>Brings packages into the store and objects out of it. A package's files come first, its manifest last.</summary>
internal static class PackageRoutes
{
    /// <summary>Longest manifest that is taken.</summary>
    public const int MaxManifestBytes = 16 << 20;

    /// <summary>Stores the body as an object.</summary>
    public static async Task<IResult> PutObjectAsync(HttpRequest request, ContentStore content)
    {
        ReadOnlyMemory<byte> body = await BodyAsync(request, Array.MaxLength);
        ContentHash hash = await content.PutAsync(body, request.HttpContext.RequestAborted);
        return Json(new ObjectDescription(hash.Hex, body.Length));
    }

    /// <summary>Streams an object.</summary>
    public static async Task<IResult> GetObjectAsync(string sha256, ContentStore content, CancellationToken ct)
    {
        Stream? stream = ContentHash.TryParse(sha256, out ContentHash hash) ? await content.OpenReadAsync(hash, 0, ct) : null;
        return stream is not null
            ? Results.Stream(stream, "application/octet-stream", sha256)
            : throw new ProtocolViolationException(ErrorCode.NotFound, "There is no such object in the store.");
    }

    /// <summary>Stores the body as the manifest of a package whose files are stored.</summary>
    public static async Task<IResult> PostPackageAsync(HttpRequest request, PackageStore packages)
    {
        byte[] document = (await BodyAsync(request, MaxManifestBytes)).ToArray();
        ContentHash hash = await packages.PutManifestAsync(document, request.HttpContext.RequestAborted);
        return Json(new PackageDescription(hash.Hex, PackageManifest.FromBytes(document).Name));
    }

    private static async Task<ReadOnlyMemory<byte>> BodyAsync(HttpRequest request, int limitBytes)
    {
        if (request.ContentLength is not { } length || length > limitBytes)
        {
            throw new ProtocolViolationException(
                ErrorCode.LimitExceeded, $"The body has {request.ContentLength?.ToString() ?? "no stated"} length; up to {limitBytes} bytes with a Content-Length are taken.");
        }

        byte[] body = new byte[length];
        await request.Body.ReadExactlyAsync(body, request.HttpContext.RequestAborted);
        return body;
    }

    private static IResult Json<T>(T value) => Results.Json(value, RoundRecords.Json);
}
