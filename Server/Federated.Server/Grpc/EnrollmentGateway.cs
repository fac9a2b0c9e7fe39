using System.Security.Cryptography;
using Federated.Server.Hosting;
using Federated.Server.Identity;
using Federated.Shared.Identity;
using Federated.Shared.Models;
using Federated.Shared.Protocol;
using Federated.Shared.Protos;
using Federated.Shared.SecureAggregation;
using Google.Protobuf;
using Grpc.Core;

namespace Federated.Server.Grpc;

/// <summary>The edge where devices get their identity.</summary>
internal sealed partial class EnrollmentGateway(
    DeviceAuthority authority,
    DeviceRegistry registry,
    MemberCertificates members,
    IdentityOptions options,
    ServerKey signing,
    TimeProvider time,
    ILogger<EnrollmentGateway> logger)
    : EnrollmentService.EnrollmentServiceBase
{
    private const int MaxPublicKeyBytes = 256;

    /// <inheritdoc/>
    public override Task<AuthorityReply> Authority(AuthorityRequest request, ServerCallContext context) =>
        Task.FromResult(new AuthorityReply { Certificate = UnsafeByteOperations.UnsafeWrap(authority.Certificate) });

    /// <inheritdoc/>
    public override async Task<EnrollReply> Enroll(EnrollRequest request, ServerCallContext context)
    {
        Demand.Version(request.ProtocolVersion);
        if (request.Token.Length != EnrollmentToken.SecretBytes)
        {
            throw new ProtocolViolationException(
                ErrorCode.MalformedDocument, $"token has {request.Token.Length} bytes, a token's secret has {EnrollmentToken.SecretBytes}.");
        }

        if (request.DeviceId.Length > 0)
        {
            Demand.Identifier(request.DeviceId, "device_id");
        }

        if (request.Population.Length > 0)
        {
            Demand.Identifier(request.Population, "population");
        }

        ContentHash secretHash = ContentHash.Of(request.Token.Span);
        byte[] publicKey = VerifiedKey(request, secretHash);
        DateTimeOffset now = time.GetUtcNow();
        EnrolledDevice device = await registry.EnrollAsync(
            secretHash, request.DeviceId, request.Population, publicKey, now + options.CertificateLifetime, context.CancellationToken);
        LogEnrolled(device.DeviceId, context.Peer);
        return new EnrollReply
        {
            Certificate = UnsafeByteOperations.UnsafeWrap(authority.IssueDevice(publicKey, device.DeviceId, now, options.CertificateLifetime)),
            DeviceId = device.DeviceId,
            Population = device.Population,
            SigningKey = await SigningKeyAsync(context.CancellationToken),
        };
    }

    /// <inheritdoc/>
    public override async Task<RenewReply> Renew(RenewRequest request, ServerCallContext context)
    {
        Demand.Version(request.ProtocolVersion);
        EnrolledDevice caller = CallerInterceptor.Of(context)
            ?? throw new ProtocolViolationException(ErrorCode.NotEnrolled, "Certificates are renewed over TLS only.");
        DateTimeOffset now = time.GetUtcNow();
        byte[] certificate = authority.IssueDevice(caller.PublicKey, caller.DeviceId, now, options.CertificateLifetime);
        await registry.ChangeAsync(caller.DeviceId, device => device with { CertificateEndsAt = now + options.CertificateLifetime }, context.CancellationToken);
        LogRenewed(caller.DeviceId);
        return new RenewReply
        {
            Certificate = UnsafeByteOperations.UnsafeWrap(certificate),
            SigningKey = await SigningKeyAsync(context.CancellationToken),
        };
    }

    /// <inheritdoc/>
    public override Task<MembersReply> Members(MembersRequest request, ServerCallContext context)
    {
        Demand.Version(request.ProtocolVersion);
        if (request.Members.Count > MemberKeyTag.MaxMembers)
        {
            throw new ProtocolViolationException(
                ErrorCode.LimitExceeded, $"members has {request.Members.Count} entries, the limit is {MemberKeyTag.MaxMembers}.");
        }

        DateTimeOffset now = time.GetUtcNow();
        MembersReply reply = new();
        foreach (KnownMember member in request.Members)
        {
            Demand.Identifier(member.DeviceId, "device_id");
            if (registry.Find(member.DeviceId) is { RevokedAt: null } device
                && device.CertificateEndsAt > now
                && !MemberKeyTag.Of(device.PublicKey).AsSpan().SequenceEqual(member.KeyTag.Span))
            {
                reply.Certificates.Add(UnsafeByteOperations.UnsafeWrap(members.Of(device, now)));
            }
        }

        return Task.FromResult(reply);
    }

    private async Task<ByteString> SigningKeyAsync(CancellationToken cancellationToken)
    {
        DeviceSigningKey key = await signing.GetAsync(cancellationToken);
        using DeviceVerifyingKey verifying = key.ToVerifyingKey();
        return UnsafeByteOperations.UnsafeWrap(verifying.ToSubjectPublicKey());
    }

    // Before the token is looked at: who has no key learns nothing about tokens.
    private byte[] VerifiedKey(EnrollRequest request, ContentHash secretHash)
    {
        byte[] publicKey = request.PublicKey.ToByteArray();
        if (publicKey.Length > MaxPublicKeyBytes)
        {
            throw new ProtocolViolationException(ErrorCode.LimitExceeded, $"public_key has {publicKey.Length} bytes, the limit is {MaxPublicKeyBytes}.");
        }

        byte[] statement = EnrollmentStatement.Of(secretHash, authority.Fingerprint, request.DeviceId, request.Population, publicKey);
        try
        {
            using DeviceVerifyingKey key = DeviceVerifyingKey.FromSubjectPublicKey(publicKey);
            return key.Verify(statement, request.Signature.Span)
                ? key.ToSubjectPublicKey()
                : throw new ProtocolViolationException(ErrorCode.BadSignature, "The signature is not the key's over this request.");
        }
        catch (CryptographicException)
        {
            throw new ProtocolViolationException(ErrorCode.MalformedDocument, "public_key is no SubjectPublicKeyInfo of a P-256 key.");
        }
    }

    [LoggerMessage(40, LogLevel.Information, "Device {DeviceId} enrolled from {Peer}")]
    private partial void LogEnrolled(string deviceId, string peer);

    [LoggerMessage(41, LogLevel.Information, "Certificate of device {DeviceId} renewed")]
    private partial void LogRenewed(string deviceId);
}
