using System.Buffers;
using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Federated.Server.Hosting;
using Federated.Server.Jobs;
using Federated.Server.Storage;
using Federated.Shared.Protocol;

namespace Federated.Server.Access;

/// <summary>A token that gives access. The text itself is shown once and not kept.</summary>
/// <param name="Hash">SHA-256 of its text, hexadecimal: what it is called.</param>
/// <param name="Name">Whose it is, for people.</param>
/// <param name="Role">What it allows.</param>
/// <param name="CreatedAt">When it was made, or the server started with it.</param>
/// <param name="ExpiresAt">When it ends; null for never.</param>
/// <param name="Given">Whether it was given at the start, so that it is not in the store.</param>
public sealed record AccessToken(string Hash, string Name, AccessRole Role, DateTimeOffset CreatedAt, DateTimeOffset? ExpiresAt, bool Given);

/// <summary>The tokens that give access: those in the store and those given at the start. Thread-safe.</summary>
internal sealed class AccessTokens(IBlobStore blobs, TimeProvider time)
{
    private const string Folder = "access/tokens/";
    private const int SecretBytes = 32;

    // Of no use to guess: a text of this prefix that turns up in a log or a repository can be found by a scan.
    private const string Prefix = "fedaccess-";

    private readonly ConcurrentDictionary<string, AccessToken> _tokens = new(StringComparer.Ordinal);

    /// <summary>Every token, oldest first.</summary>
    public IReadOnlyList<AccessToken> All => [.. _tokens.Values.OrderBy(token => token.CreatedAt).ThenBy(token => token.Hash, StringComparer.Ordinal)];

    /// <summary>Reads the store's tokens.</summary>
    public async Task LoadAsync(CancellationToken ct)
    {
        await foreach (string name in blobs.ListAsync(Folder, ct))
        {
            if (await blobs.ReadAsync(name, ct) is { } blob
                && JsonSerializer.Deserialize<AccessToken>(blob.Content.Span, RoundRecords.Json) is { } token)
            {
                _tokens[token.Hash] = token;
            }
        }
    }

    /// <summary>Takes a token that was given at the start, for as long as the process lives.</summary>
    /// <exception cref="RefusedOptionsException">It is too short to be a secret.</exception>
    public void Give(string text, string name, AccessRole role)
    {
        if (text.Length < AccessOptions.MinTokenLength)
        {
            throw new RefusedOptionsException(
                $"The {AccessPolicies.NameOf(role)} token has {text.Length} characters; at least {AccessOptions.MinTokenLength} are needed. Make one with: openssl rand -hex 32");
        }

        string hash = HashOf(text);
        _tokens[hash] = new AccessToken(hash, name, role, time.GetUtcNow(), null, Given: true);
    }

    /// <summary>Makes a token and keeps its hash.</summary>
    /// <returns>The text, which cannot be had again, and what is kept.</returns>
    public async Task<(string Text, AccessToken Token)> CreateAsync(string name, AccessRole role, TimeSpan? lifetime, CancellationToken ct)
    {
        string text = Prefix + Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(SecretBytes));
        DateTimeOffset now = time.GetUtcNow();
        AccessToken token = new(HashOf(text), name, role, now, now + lifetime, Given: false);
        await blobs.WriteAsync(
            Folder + token.Hash + ".json",
            new ReadOnlySequence<byte>(JsonSerializer.SerializeToUtf8Bytes(token, RoundRecords.Json)),
            WriteCondition.Always,
            ct);
        _tokens[token.Hash] = token;
        return (text, token);
    }

    /// <summary>Ends a token and every login that rests on it.</summary>
    /// <param name="hash">The hash, or its first characters when they are enough to tell it, at least 8.</param>
    /// <param name="ct">Cancels.</param>
    /// <exception cref="ProtocolViolationException">There is no such token, or it was given at the start.</exception>
    public async Task<AccessToken> RevokeAsync(string hash, CancellationToken ct)
    {
        AccessToken[] found = hash.Length < 8 ? [] : [.. _tokens.Values.Where(token => token.Hash.StartsWith(hash, StringComparison.Ordinal))];
        if (found is not [AccessToken token])
        {
            throw new ProtocolViolationException(ErrorCode.NotFound, "There is no access token of that hash. Give at least its first 8 characters.");
        }

        if (token.Given)
        {
            throw new ProtocolViolationException(ErrorCode.Conflict, $"The token '{token.Name}' was given when the server was started. Start it without that token.");
        }

        await blobs.DeleteAsync(Folder + token.Hash + ".json", WriteCondition.Always, ct);
        _tokens.TryRemove(token.Hash, out _);
        return token;
    }

    /// <summary>The token of that text; null when there is none, or its time is over.</summary>
    public AccessToken? Find(string text) => FindHash(HashOf(text));

    /// <summary>The token of that hash; null when there is none, or its time is over.</summary>
    public AccessToken? FindHash(string hash) =>
        _tokens.TryGetValue(hash, out AccessToken? token) && !(token.ExpiresAt <= time.GetUtcNow()) ? token : null;

    private static string HashOf(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
