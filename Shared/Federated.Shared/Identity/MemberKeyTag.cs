using System.Security.Cryptography;

namespace Federated.Shared.Identity;

/// <summary>Which key a device believes another one to have, in few bytes. It decides what is sent again, and nothing that has to be secure.</summary>
public static class MemberKeyTag
{
    /// <summary>Length of a tag.</summary>
    public const int LengthBytes = 8;

    /// <summary>Most devices in one question: the largest group, whose certificates stay below the limit of a message.</summary>
    public const int MaxMembers = 1_000;

    /// <summary>The tag of a SubjectPublicKeyInfo: the first bytes of its SHA-256.</summary>
    public static byte[] Of(ReadOnlySpan<byte> subjectPublicKey) => SHA256.HashData(subjectPublicKey)[..LengthBytes];
}
