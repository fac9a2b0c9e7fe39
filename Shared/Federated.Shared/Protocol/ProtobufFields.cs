using Google.Protobuf;

namespace Federated.Shared.Protocol;

/// <summary>
/// Walks the fields of one protobuf message without copying them, for the messages that carry bulk data: the generated parser would
/// give each chunk an array of its own, which at 1 GB/s is 1 GB/s of garbage. Fields it is not asked for can be skipped, so later
/// versions of a message stay readable. Source of the encoding: protobuf.dev/programming-guides/encoding.
/// </summary>
public ref struct ProtobufFields
{
    private ReadOnlySpan<byte> _rest;
    private uint _tag;

    /// <summary>Reads <paramref name="message"/>, which must stay as it is meanwhile.</summary>
    public ProtobufFields(ReadOnlySpan<byte> message) => _rest = message;

    /// <summary>Goes to the next field; false at the end of the message.</summary>
    /// <exception cref="ProtocolViolationException">The bytes are not a protobuf message.</exception>
    public bool Next()
    {
        if (_rest.IsEmpty)
        {
            return false;
        }

        _tag = unchecked((uint)Varint());
        return true;
    }

    /// <summary>Whether the current field has this number and wire type.</summary>
    public readonly bool Is(int number, WireFormat.WireType type) => _tag == WireFormat.MakeTag(number, type);

    /// <summary>The current field's value as a varint.</summary>
    /// <exception cref="ProtocolViolationException">It is cut off.</exception>
    public ulong Varint()
    {
        ulong value = 0;
        for (int i = 0; i < 10 && i < _rest.Length; i++)
        {
            // Seven bits a byte; the tenth byte's surplus bits fall off the left end, as in every protobuf reader.
            value |= (ulong)(_rest[i] & 0x7f) << (7 * i);
            if (_rest[i] < 0x80)
            {
                _rest = _rest[(i + 1)..];
                return value;
            }
        }

        throw Malformed();
    }

    /// <summary>The current field's bytes, a slice of the message.</summary>
    /// <exception cref="ProtocolViolationException">It is cut off.</exception>
    public ReadOnlySpan<byte> Bytes()
    {
        ulong length = Varint();
        if (length > (ulong)_rest.Length)
        {
            throw Malformed();
        }

        ReadOnlySpan<byte> bytes = _rest[..(int)length];
        _rest = _rest[(int)length..];
        return bytes;
    }

    /// <summary>Passes over the current field.</summary>
    /// <exception cref="ProtocolViolationException">It is cut off, or of a type that no message here has.</exception>
    public void Skip()
    {
        switch (WireFormat.GetTagWireType(_tag))
        {
            case WireFormat.WireType.Varint:
                Varint();
                break;
            case WireFormat.WireType.LengthDelimited:
                Bytes();
                break;
            case WireFormat.WireType.Fixed32 when _rest.Length >= sizeof(uint):
                _rest = _rest[sizeof(uint)..];
                break;
            case WireFormat.WireType.Fixed64 when _rest.Length >= sizeof(ulong):
                _rest = _rest[sizeof(ulong)..];
                break;
            default:
                throw Malformed();
        }
    }

    private static ProtocolViolationException Malformed() =>
        new(ErrorCode.MalformedDocument, "A chunk is not a protobuf message. Update the older of client and server.");
}
