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

    /// <summary>The call needs a device certificate and came without one, or names a device that is not enrolled.</summary>
    NotEnrolled = 1100,

    /// <summary>No such enrollment token.</summary>
    TokenUnknown = 1101,

    /// <summary>Another key has used the enrollment token.</summary>
    TokenUsed = 1102,

    /// <summary>The enrollment token's time is over.</summary>
    TokenExpired = 1103,

    /// <summary>The certificate is not from this server's authority, or not for the key that is enrolled.</summary>
    ForeignCertificate = 1104,

    /// <summary>The device certificate's time is over.</summary>
    CertificateExpired = 1105,

    /// <summary>The device was revoked.</summary>
    DeviceRevoked = 1106,

    /// <summary>The message speaks for another device than the certificate.</summary>
    WrongDevice = 1107,

    /// <summary>The server's certificate is not from the pinned authority.</summary>
    ForeignServer = 1108,

    /// <summary>The request's signature is not the key's.</summary>
    BadSignature = 1109,

    /// <summary>The HTTP request carries no access token or login, or one that is unknown or over.</summary>
    NotSignedIn = 1200,

    /// <summary>The caller's role does not allow this.</summary>
    NotAllowed = 1201,

    /// <summary>A browser sent the request for a page of another site, or to a name that an open server does not answer to.</summary>
    ForeignSite = 1202,
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
        new(ErrorCode.NotEnrolled, StatusCode.Unauthenticated, 401, false, "Enroll the device: create a token on the server and run 'federated-client enroll'."),
        new(ErrorCode.TokenUnknown, StatusCode.Unauthenticated, 401, false, "Check that the token is complete and from this server, or create another."),
        new(ErrorCode.TokenUsed, StatusCode.PermissionDenied, 403, false, "Create another token. If nobody else should have had this one, revoke the device that used it."),
        new(ErrorCode.TokenExpired, StatusCode.PermissionDenied, 403, false, "Create another token."),
        new(ErrorCode.ForeignCertificate, StatusCode.Unauthenticated, 401, false, "Enroll the device with this server again."),
        new(ErrorCode.CertificateExpired, StatusCode.Unauthenticated, 401, false, "Renew the certificate, or enroll the device again; check the device's clock."),
        new(ErrorCode.DeviceRevoked, StatusCode.PermissionDenied, 403, false, "Ask the operator; a revoked device comes back with a token made for its name."),
        new(ErrorCode.WrongDevice, StatusCode.PermissionDenied, 403, false, "Use the identity of the device that the message names."),
        new(ErrorCode.ForeignServer, StatusCode.Unauthenticated, 401, false, "Check the address. If it is right, somebody sits between device and server; use another network."),
        new(ErrorCode.BadSignature, StatusCode.PermissionDenied, 403, false, "Update the client; if that does not help, the request was changed on the way."),
        new(ErrorCode.NotSignedIn, StatusCode.Unauthenticated, 401, false, "Give an access token: FEDERATED_TOKEN or --token-file of the command line, the login page in a browser."),
        new(ErrorCode.NotAllowed, StatusCode.PermissionDenied, 403, false, "Use a token of an operator."),
        new(ErrorCode.ForeignSite, StatusCode.PermissionDenied, 403, false, "Use this server's own pages under the name it was opened with."),
    }.ToDictionary(entry => entry.Code);

    /// <summary>Every code in order of its number.</summary>
    public static IEnumerable<Entry> Entries => _entries.Values.OrderBy(entry => entry.Code);

    /// <summary>The row of a code.</summary>
    public static Entry For(ErrorCode code) => _entries[code];

    /// <summary>A code as people look it up: its number and its name.</summary>
    public static string NameOf(ErrorCode code) => $"{(int)code} {code}";
}
