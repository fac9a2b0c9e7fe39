using Federated.Shared.Identity;
using Federated.Shared.Protos;
using Federated.Shared.SecureAggregation;
using Google.Protobuf;

namespace Federated.EndToEnd.Tests.Enrollment;

/// <summary>Requests as a device that enrolls makes them.</summary>
internal static class EnrollRequests
{
    /// <summary>With a key of its own.</summary>
    public static EnrollRequest Of(EnrollmentToken token, string device)
    {
        using DeviceSigningKey key = DeviceSigningKey.Create();
        return Of(token, device, key);
    }

    /// <summary>With this key.</summary>
    public static EnrollRequest Of(EnrollmentToken token, string device, DeviceSigningKey key)
    {
        byte[] publicKey = key.ToVerifyingKey().ToSubjectPublicKey();
        return new EnrollRequest
        {
            ProtocolVersion = 1,
            Token = ByteString.CopyFrom(token.Secret.Span),
            DeviceId = device,
            PublicKey = ByteString.CopyFrom(publicKey),
            Signature = ByteString.CopyFrom(key.Sign(EnrollmentStatement.Of(token.SecretHash, token.Authority, device, "", publicKey))),
        };
    }
}
