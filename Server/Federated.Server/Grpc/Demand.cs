using System.Globalization;
using System.Text;
using Federated.Server.Identity;
using Federated.Shared.Models;
using Federated.Shared.Protocol;
using Google.Protobuf;
using Grpc.Core;

namespace Federated.Server.Grpc;

/// <summary>Checks of message fields; each failure names the field, the value and what is allowed.</summary>
internal static class Demand
{
    /// <summary>The peer speaks this protocol.</summary>
    public static void Version(uint version)
    {
        if (version != ProtocolLimits.Version)
        {
            throw new ProtocolViolationException(
                ErrorCode.UnsupportedVersion, $"The client speaks protocol {version}, this server {ProtocolLimits.Version}. Update the older one.");
        }
    }

    /// <summary>The text is an identifier.</summary>
    public static void Identifier(string value, string field)
    {
        if (!ProtocolLimits.IsIdentifier(value))
        {
            string shown = value.Length <= ProtocolLimits.MaxIdentifierLength && IsPlain(value) ? $"'{value}'" : $"of {value.Length} characters";
            throw new ProtocolViolationException(
                ErrorCode.InvalidIdentifier,
                $"{field} {shown} is not an identifier: 1 to {ProtocolLimits.MaxIdentifierLength} characters of A-Z a-z 0-9 . _ - that do not begin with a dot.");
        }
    }

    /// <summary>The device that a message names is an identifier, and the one that calls, where callers are known; gives that one.</summary>
    public static EnrolledDevice? Device(string deviceId, ServerCallContext context)
    {
        Identifier(deviceId, "device_id");
        EnrolledDevice? caller = CallerInterceptor.Of(context);
        return caller is null || caller.DeviceId == deviceId
            ? caller
            : throw new ProtocolViolationException(
                ErrorCode.WrongDevice, $"The message speaks for device '{deviceId}', the certificate is that of '{caller.DeviceId}'.");
    }

    /// <summary>The text is short enough.</summary>
    public static void Text(string value, string field)
    {
        if (value.Length > ProtocolLimits.MaxTextLength)
        {
            throw new ProtocolViolationException(
                ErrorCode.LimitExceeded, $"{field} has {value.Length} characters, the limit is {ProtocolLimits.MaxTextLength}.");
        }
    }

    /// <summary>The text is short enough and one that a terminal shows as it is.</summary>
    public static void Line(string value, string field)
    {
        Text(value, field);
        if (!IsPlain(value))
        {
            throw new ProtocolViolationException(
                ErrorCode.MalformedDocument, $"{field} holds control characters, line breaks or invisible format characters; allowed is one line of plain text.");
        }
    }

    /// <summary>The bytes are a SHA-256.</summary>
    public static ContentHash Hash(ByteString value, string field) => value.Length == ContentHash.LengthBytes
        ? ContentHash.FromBytes(value.Span)
        : throw new ProtocolViolationException(
            ErrorCode.MalformedDocument, $"{field} has {value.Length} bytes, a SHA-256 has {ContentHash.LengthBytes}.");

    // Format characters turn the direction of what follows, or are not seen at all; half a surrogate pair is no character.
    private static bool IsPlain(string text)
    {
        foreach (Rune rune in text.EnumerateRunes())
        {
            if (rune == Rune.ReplacementChar
                || Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator)
            {
                return false;
            }
        }

        return true;
    }
}
