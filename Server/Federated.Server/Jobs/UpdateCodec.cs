using System.Text.Json.Serialization;

namespace Federated.Server.Jobs;

/// <summary>How devices compress their updates.</summary>
public enum UpdateCodec
{
    /// <summary>Every parameter as float32.</summary>
    [JsonStringEnumMemberName("dense")]
    Dense,

    /// <summary>The largest parameters, the others being kept for later (Lin et al., arXiv 1712.01887).</summary>
    [JsonStringEnumMemberName("top-k")]
    TopK,

    /// <summary>Every parameter in few bits, rounded at random without bias (Alistarh et al., arXiv 1610.02132).</summary>
    [JsonStringEnumMemberName("quantized")]
    Quantized,

    /// <summary>
    /// The signs of the largest parameters and one magnitude, the rest being kept for later (Sattler et al., arXiv 1903.02891).
    /// </summary>
    [JsonStringEnumMemberName("stc")]
    Stc,

    /// <summary>
    /// The same coordinates of every device, clipped, rotated and rounded into a ring of whole numbers: linear, so that updates may be masked
    /// (docs/CODECS.md, private path).
    /// </summary>
    [JsonStringEnumMemberName("linear")]
    Linear,
}
