using Grpc.Core;

namespace Federated.Shared.Protocol;

/// <summary>Every way in which a message can break the protocol. Numbers are wire format: never renumbered, never reused.</summary>
public enum ErrorCode
{
    /// <summary>A defect of the server.</summary>
    Internal = 1000,

    /// <summary>The peer speaks another protocol or document version.</summary>
    UnsupportedVersion = 1001,

    /// <summary>A document or message cannot be read.</summary>
    MalformedDocument = 1002,

    /// <summary>A length or count exceeds its limit.</summary>
    LimitExceeded = 1003,

    /// <summary>A device, population or job name is not an identifier.</summary>
    InvalidIdentifier = 1004,

    /// <summary>No such job, round, device or object.</summary>
    NotFound = 1005,

    /// <summary>Chunks are not contiguous or begin at the wrong offset.</summary>
    WrongOffset = 1006,

    /// <summary>Content does not hash to its name.</summary>
    HashMismatch = 1007,

    /// <summary>The server sheds load; try again later.</summary>
    Overloaded = 1008,

    /// <summary>The request contradicts the state of the job.</summary>
    Conflict = 1009,

    /// <summary>A setting is unknown, of the wrong type or impossible.</summary>
    InvalidSetting = 1010,
}

/// <summary>Maps each <see cref="ErrorCode"/> once: to the gRPC status, the HTTP status and the advice.</summary>
public static class ErrorCatalogue
{
    /// <summary>gRPC trailer that carries the number of the code.</summary>
    public const string TrailerName = "federated-error";

    /// <summary>One row of the catalogue.</summary>
    /// <param name="Code">The code.</param>
    /// <param name="Status">gRPC status it maps to.</param>
    /// <param name="HttpStatus">HTTP status it maps to.</param>
    /// <param name="Retriable">Whether the same call may succeed later.</param>
    /// <param name="Advice">What a person does about it.</param>
    public sealed record Entry(ErrorCode Code, StatusCode Status, int HttpStatus, bool Retriable, string Advice);

    private static readonly Dictionary<ErrorCode, Entry> _entries = new Entry[]
    {
        new(ErrorCode.Internal, StatusCode.Internal, 500, true, "Look into the server's log; report it if it persists."),
        new(ErrorCode.UnsupportedVersion, StatusCode.FailedPrecondition, 400, false, "Update the older of client and server."),
        new(ErrorCode.MalformedDocument, StatusCode.InvalidArgument, 400, false, "Compare the sender with docs/PROTOCOL.md."),
        new(ErrorCode.LimitExceeded, StatusCode.ResourceExhausted, 413, false, "Send less, or raise the named limit on the server."),
        new(ErrorCode.InvalidIdentifier, StatusCode.InvalidArgument, 400, false, "Use 1 to 128 characters of A-Z a-z 0-9 . _ - that do not begin with a dot."),
        new(ErrorCode.NotFound, StatusCode.NotFound, 404, false, "Check the name; list what exists."),
        new(ErrorCode.WrongOffset, StatusCode.OutOfRange, 400, true, "Ask UploadStatus for the offset and go on from there."),
        new(ErrorCode.HashMismatch, StatusCode.DataLoss, 400, true, "Transfer the object again from offset 0."),
        new(ErrorCode.Overloaded, StatusCode.Unavailable, 503, true, "Wait and try again with backoff."),
        new(ErrorCode.Conflict, StatusCode.FailedPrecondition, 409, false, "Look at the job's state first."),
        new(ErrorCode.InvalidSetting, StatusCode.InvalidArgument, 422, false, "Correct the named key."),
    }.ToDictionary(entry => entry.Code);

    /// <summary>Every code in order of its number.</summary>
    public static IEnumerable<Entry> Entries => _entries.Values.OrderBy(entry => entry.Code);

    /// <summary>The row of a code.</summary>
    public static Entry For(ErrorCode code) => _entries[code];
}
