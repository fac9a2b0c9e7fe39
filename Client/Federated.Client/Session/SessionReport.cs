using Federated.Shared.Protocol;
using Federated.Shared.Protos;
using Federated.Training;

namespace Federated.Client.Session;

/// <summary>How a session ended.</summary>
public enum SessionResult
{
    /// <summary>The device was not wanted.</summary>
    NoAssignment,

    /// <summary>The update counts, once and durably.</summary>
    Accepted,

    /// <summary>The server took the update but did not count it; <see cref="SessionReport.Outcome"/> says why.</summary>
    Refused,

    /// <summary>The device gave the round up and, if it could, said so.</summary>
    Aborted,
}

/// <summary>What became of a session.</summary>
/// <param name="Result">How it ended.</param>
/// <param name="RetryAfter">When to check in again; zero for at once.</param>
/// <param name="Plan">The round's plan; null without an assignment or when it could not be read.</param>
/// <param name="Outcome">The server's answer to the update; unspecified when none was submitted.</param>
/// <param name="Detail">One line for people; empty when there is nothing to say.</param>
/// <param name="Training">What training gave; null when it did not happen.</param>
/// <param name="BytesUp">Encoded message bytes sent from the assignment on, the upload included.</param>
/// <param name="BytesDown">Encoded message bytes received from the assignment on.</param>
public sealed record SessionReport(
    SessionResult Result,
    TimeSpan RetryAfter,
    PlanDocument? Plan,
    SubmitOutcome Outcome,
    string Detail,
    LocalTrainingResult? Training,
    long BytesUp,
    long BytesDown);
