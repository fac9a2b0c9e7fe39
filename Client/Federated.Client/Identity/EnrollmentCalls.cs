using Federated.Client.Transport;
using Federated.Shared.Identity;
using Federated.Shared.Models;
using Federated.Shared.Protocol;
using Federated.Shared.Protos;
using Federated.Shared.SecureAggregation;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;

namespace Federated.Client.Identity;

/// <summary>The calls by which a device gets and keeps its certificate.</summary>
internal static class EnrollmentCalls
{
    private static readonly TimeSpan _timeout = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Enrolls the device of a state folder. Its key is on the disk before the token is spent, so that whoever is interrupted calls again with the same
    /// token. The token's secret is sent only to a server whose certificate is from the authority that the token names.
    /// </summary>
    /// <param name="server">Where the server is; https.</param>
    /// <param name="token">The token.</param>
    /// <param name="deviceId">A name to ask for; empty leaves it to token and server.</param>
    /// <param name="population">A population to ask for; empty leaves it to the token.</param>
    /// <param name="folder">The state folder.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="ServerLinkException">The server refuses, cannot be reached, or is not the one of the token.</exception>
    public static async Task<StoredIdentity> EnrollAsync(
        Uri server, EnrollmentToken token, string deviceId, string population, string folder, CancellationToken cancellationToken)
    {
        StoredIdentity begun = Begin(server, deviceId, population, folder);
        byte[] authority = await FetchAuthorityAsync(server, token, cancellationToken).ConfigureAwait(false);
        LinkSecurity security = new(new PinnedAuthority(authority).Accepts, () => null, TimeSpan.FromMinutes(1));
        using GrpcChannel channel = GrpcConnection.Open(server, new GrpcLinkOptions { Security = security });
        EnrollmentService.EnrollmentServiceClient calls = new(channel);
        EnrollReply reply = await CallAsync(server, calls.EnrollAsync, Request(begun, token), cancellationToken).ConfigureAwait(false);
        StoredIdentity identity = begun with
        {
            DeviceId = reply.DeviceId,
            Population = reply.Population,
            Certificate = reply.Certificate.ToByteArray(),
            Authority = authority,
            ServerSigningKey = reply.SigningKey.ToByteArray(),
        };
        identity.OpenCertificate().Dispose();
        identity.Write(folder);
        return identity;
    }

    /// <summary>Renews the certificate of an enrolled device.</summary>
    /// <param name="identity">The device; it takes the new certificate.</param>
    /// <param name="server">Where the server is now, which need not be where the device enrolled.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ServerLinkException">The server refuses or cannot be reached.</exception>
    /// <exception cref="InvalidDataException">The server's answer holds no certificate.</exception>
    /// <exception cref="IOException">The new certificate cannot be written.</exception>
    public static async Task RenewAsync(DeviceIdentity identity, Uri server, CancellationToken cancellationToken)
    {
        using GrpcChannel channel = GrpcConnection.Open(server, new GrpcLinkOptions { Security = identity.Security });
        EnrollmentService.EnrollmentServiceClient calls = new(channel);
        RenewRequest request = new() { ProtocolVersion = ProtocolLimits.Version };
        RenewReply reply = await CallAsync(server, calls.RenewAsync, request, cancellationToken).ConfigureAwait(false);
        identity.Take(reply.Certificate.ToByteArray(), reply.SigningKey.ToByteArray());
    }

    private static StoredIdentity Begin(Uri server, string deviceId, string population, string folder)
    {
        StoredIdentity? found = StoredIdentity.Read(folder);
        if (found is { Certificate.Length: > 0 })
        {
            throw new InvalidOperationException(
                $"'{folder}' holds the identity of device '{found.DeviceId}'. Take another --state, or delete '{Path.Combine(folder, StoredIdentity.FileName)}' to give it up.");
        }

        byte[] key;
        if (found is null)
        {
            using DeviceSigningKey drawn = DeviceSigningKey.Create();
            key = drawn.ToPkcs8();
        }
        else
        {
            key = found.PrivateKey;
        }

        StoredIdentity begun = new() { Server = server.AbsoluteUri, DeviceId = deviceId, Population = population, PrivateKey = key };
        begun.Write(folder);
        return begun;
    }

    // Whoever answers may be anybody: nothing is said but the question, and the answer counts only when the token vouches for it.
    private static async Task<byte[]> FetchAuthorityAsync(Uri server, EnrollmentToken token, CancellationToken cancellationToken)
    {
#pragma warning disable CA5359 // There is nothing to validate with yet; see above.
        LinkSecurity anybody = new((_, _, _, _) => true, () => null, TimeSpan.FromMinutes(1));
#pragma warning restore CA5359
        using GrpcChannel channel = GrpcConnection.Open(server, new GrpcLinkOptions { Security = anybody });
        EnrollmentService.EnrollmentServiceClient calls = new(channel);
        AuthorityReply reply = await CallAsync(server, calls.AuthorityAsync, new AuthorityRequest(), cancellationToken).ConfigureAwait(false);
        byte[] certificate = reply.Certificate.ToByteArray();
        ContentHash fingerprint;
        try
        {
            fingerprint = new PinnedAuthority(certificate).Fingerprint;
        }
        catch (System.Security.Cryptography.CryptographicException e)
        {
            throw Foreign("sent no certificate for its authority", e);
        }

        return fingerprint == token.Authority ? certificate : throw Foreign("has another authority than the token names");
    }

    private static ServerLinkException Foreign(string what, Exception? inner = null) => new(
        $"The server {what}. The token was not sent. {ErrorCatalogue.For(ErrorCode.ForeignServer).Advice}", retriable: false, ErrorCode.ForeignServer, inner);

    private static EnrollRequest Request(StoredIdentity begun, EnrollmentToken token)
    {
        using DeviceSigningKey key = DeviceSigningKey.FromPkcs8(begun.PrivateKey);
        using DeviceVerifyingKey verifying = key.ToVerifyingKey();
        byte[] publicKey = verifying.ToSubjectPublicKey();
        byte[] statement = EnrollmentStatement.Of(token.SecretHash, token.Authority, begun.DeviceId, begun.Population, publicKey);
        return new EnrollRequest
        {
            ProtocolVersion = ProtocolLimits.Version,
            Token = UnsafeByteOperations.UnsafeWrap(token.Secret),
            DeviceId = begun.DeviceId,
            Population = begun.Population,
            PublicKey = UnsafeByteOperations.UnsafeWrap(publicKey),
            Signature = UnsafeByteOperations.UnsafeWrap(key.Sign(statement)),
        };
    }

    private static async Task<TReply> CallAsync<TRequest, TReply>(
        Uri server, Func<TRequest, CallOptions, AsyncUnaryCall<TReply>> method, TRequest request, CancellationToken cancellationToken)
    {
        try
        {
            using AsyncUnaryCall<TReply> call = method(request, CallDeadline.After(_timeout, cancellationToken));
            return await call.ResponseAsync.ConfigureAwait(false);
        }
        catch (Exception e) when (RpcFailures.TryTranslate(e, server, cancellationToken, out Exception translated))
        {
            throw translated;
        }
    }
}
