using System.Collections.Frozen;
using System.IO.Compression;
using System.Reflection;
using System.Security.Cryptography;
using Microsoft.Net.Http.Headers;

namespace Federated.Server.Dashboard;

/// <summary>
/// The dashboard's files, out of this assembly. Read and compressed once, when first asked for; a browser keeps them and asks with the hash whether they still stand.
/// Thread-safe.
/// </summary>
internal sealed class EmbeddedAssets
{
    /// <summary>Where they are served.</summary>
    public const string Path = "/assets";

    private const string Prefix = "dashboard/";

    private static readonly FrozenDictionary<string, string> _types = new Dictionary<string, string>
    {
        [".js"] = "text/javascript; charset=utf-8",
        [".css"] = "text/css; charset=utf-8",
        [".svg"] = "image/svg+xml",
        [""] = "text/plain; charset=utf-8",
    }.ToFrozenDictionary();

    private readonly FrozenDictionary<string, Lazy<Asset>> _assets = Assembly.GetExecutingAssembly().GetManifestResourceNames()
        .Where(name => name.StartsWith(Prefix, StringComparison.Ordinal))
        .ToFrozenDictionary(name => name[Prefix.Length..].Replace('\\', '/'), name => new Lazy<Asset>(() => Read(name)), StringComparer.Ordinal);

    /// <summary>Answers a request for one.</summary>
    public IResult Answer(string name, HttpContext context)
    {
        if (!_assets.TryGetValue(name, out Lazy<Asset>? lazy))
        {
            return Results.NotFound();
        }

        Asset asset = lazy.Value;
        IHeaderDictionary headers = context.Response.Headers;
        headers.CacheControl = "no-cache";
        headers.Vary = HeaderNames.AcceptEncoding;
        EntityTagHeaderValue tag = new($"\"{asset.Hash}\"");
        if (!context.Request.GetTypedHeaders().AcceptEncoding.Any(coding => coding.Value == "br"))
        {
            return Results.Bytes(asset.Plain, asset.Type, entityTag: tag);
        }

        headers.ContentEncoding = "br";
        return Results.Bytes(asset.Brotli, asset.Type, entityTag: new EntityTagHeaderValue($"\"{asset.Hash}-br\""));
    }

    private static Asset Read(string resource)
    {
        using Stream stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(resource)!;
        byte[] plain = new byte[stream.Length];
        stream.ReadExactly(plain);
        using MemoryStream packed = new();
        using (BrotliStream brotli = new(packed, CompressionLevel.Optimal, leaveOpen: true))
        {
            brotli.Write(plain);
        }

        string type = _types.GetValueOrDefault(System.IO.Path.GetExtension(resource), "application/octet-stream");
        return new Asset(plain, packed.ToArray(), type, Convert.ToHexStringLower(SHA256.HashData(plain)));
    }

    private sealed record Asset(byte[] Plain, byte[] Brotli, string Type, string Hash);
}
