namespace Federated.Simulator.Bench;

/// <summary>What one codec makes of one update.</summary>
/// <param name="Codec">The codec and its settings.</param>
/// <param name="PayloadBytes">Encoded bytes of an update, without the update document around them.</param>
/// <param name="Ratio">float32 bytes of the update over the payload's.</param>
/// <param name="RelativeError">
/// ‖u − û‖₂/‖u‖₂ over all parameters: what a single round loses. A residual makes up for it later, or the scaling does on average.
/// </param>
/// <param name="RelativeErrorSent">The same over the parameters that were sent: what quantization alone loses.</param>
/// <param name="EncodeGigabytesPerSecond">float32 input a second on one thread, best of the repeats.</param>
/// <param name="DecodeGigabytesPerSecond">float32 output a second on one thread, best of the repeats.</param>
internal sealed record CodecRow(
    string Codec,
    long PayloadBytes,
    double Ratio,
    double RelativeError,
    double RelativeErrorSent,
    double EncodeGigabytesPerSecond,
    double DecodeGigabytesPerSecond);
