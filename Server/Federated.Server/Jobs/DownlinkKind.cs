using System.Text.Json.Serialization;

namespace Federated.Server.Jobs;

/// <summary>How a job's adapter reaches its devices.</summary>
public enum DownlinkKind
{
    /// <summary>All of it as float32, in every round.</summary>
    [JsonStringEnumMemberName("whole")]
    Whole,

    /// <summary>Changes in 8 bits for who holds an earlier version, and 8 bits a parameter for who does not.</summary>
    [JsonStringEnumMemberName("compact")]
    Compact,
}
