using System.Numerics;

namespace Federated.Training.Data;

/// <summary>How sound becomes features.</summary>
/// <param name="SampleRate">Samples a second, 1,000 to 192,000.</param>
/// <param name="Mels">Filters, 1 to 256.</param>
/// <param name="Frames">Windows an example, 1 to 10,000.</param>
/// <param name="Window">Samples of a window, 2 to 16,384.</param>
/// <param name="Hop">Samples from one window to the next, 1 to 16,384.</param>
public sealed record LogMelShape(int SampleRate, int Mels, int Frames, int Window, int Hop)
{
    /// <summary>Most samples a second.</summary>
    public const int MaxSampleRate = 192_000;

    /// <summary>Most filters.</summary>
    public const int MaxMels = 256;

    /// <summary>Most windows an example.</summary>
    public const int MaxFrames = 10_000;

    /// <summary>Longest window, and hop, in samples.</summary>
    public const int MaxWindow = 16_384;
}

/// <summary>
/// Logarithms of the energies that triangular filters on the mel scale find in windows of sound, as in S. B. Davis and P. Mermelstein, Comparison of parametric representations
/// for monosyllabic word recognition, IEEE Trans. ASSP 28 (1980), section II, without the cosine transform. The scale is mel(f) = 2595 · log10(1 + f / 700)
/// (D. O'Shaughnessy, Speech Communication, 1987). Windows are Hann's, periodic: w[n] = ½ − ½·cos(2πn / Window), the first beginning with the first
/// sample; spectra are powers |X[k]|² of N = the power of two from Window on; the Mels + 2 corners lie evenly on the mel scale from 0 to half the rate, and each filter
/// rises to 1 and falls linearly in Hz; the value is ln(max(energy, 1e-10)). Immutable and thread-safe.
/// </summary>
internal sealed class LogMel
{
    private const double LeastEnergy = 1e-10;

    private readonly LogMelShape _shape;
    private readonly double[] _window;
    private readonly (int Start, double[] Weights)[] _filters;
    private readonly Complex[] _roots;

    /// <summary>Prepares window, filters and roots of unity.</summary>
    public LogMel(LogMelShape shape)
    {
        _shape = shape;
        _window = [.. Enumerable.Range(0, shape.Window).Select(n => 0.5 - (0.5 * Math.Cos(2 * Math.PI * n / shape.Window)))];
        int length = (int)BitOperations.RoundUpToPowerOf2((uint)shape.Window);
        _roots = [.. Enumerable.Range(0, length / 2).Select(k => Complex.FromPolarCoordinates(1, -2 * Math.PI * k / length))];
        double top = Mel(shape.SampleRate / 2.0);
        double[] corners = [.. Enumerable.Range(0, shape.Mels + 2).Select(i => Hertz(top * i / (shape.Mels + 1)))];
        _filters = [.. Enumerable.Range(0, shape.Mels).Select(m => Filter(corners[m], corners[m + 1], corners[m + 2], length))];
    }

    /// <summary>Elements of one example.</summary>
    public int FeatureLength => _shape.Mels * _shape.Frames;

    /// <summary>Features of a sound; silence follows one that is too short, and what is too long is left out.</summary>
    /// <param name="samples">In [−1, 1).</param>
    /// <returns>[Mels, Frames].</returns>
    public float[] Of(ReadOnlySpan<float> samples)
    {
        float[] features = new float[FeatureLength];
        Complex[] spectrum = new Complex[_roots.Length * 2];
        double[] powers = new double[_roots.Length + 1];
        for (int t = 0; t < _shape.Frames; t++)
        {
            Array.Clear(spectrum);
            long first = (long)t * _shape.Hop;
            for (int n = 0; n < _window.Length && first + n < samples.Length; n++)
            {
                spectrum[n] = _window[n] * samples[(int)first + n];
            }

            Transform(spectrum);
            for (int k = 0; k < powers.Length; k++)
            {
                powers[k] = (spectrum[k].Real * spectrum[k].Real) + (spectrum[k].Imaginary * spectrum[k].Imaginary);
            }

            for (int m = 0; m < _filters.Length; m++)
            {
                (int start, double[] weights) = _filters[m];
                double energy = 0;
                for (int k = 0; k < weights.Length; k++)
                {
                    energy += weights[k] * powers[start + k];
                }

                features[(m * _shape.Frames) + t] = (float)Math.Log(Math.Max(energy, LeastEnergy));
            }
        }

        return features;
    }

    private static double Mel(double hertz) => 2595 * Math.Log10(1 + (hertz / 700));

    private static double Hertz(double mel) => 700 * (Math.Pow(10, mel / 2595) - 1);

    private (int Start, double[] Weights) Filter(double low, double centre, double high, int length)
    {
        double step = _shape.SampleRate / (double)length;
        int start = (int)Math.Ceiling(low / step);
        int end = Math.Min((int)Math.Floor(high / step), length / 2);
        double[] weights = new double[Math.Max(end - start + 1, 0)];
        for (int i = 0; i < weights.Length; i++)
        {
            double hertz = (start + i) * step;
            weights[i] = Math.Max(0, Math.Min((hertz - low) / (centre - low), (high - hertz) / (high - centre)));
        }

        return (start, weights);
    }

    /// <summary>The discrete Fourier transform in place, by halves (J. W. Cooley and J. W. Tukey, Math. Comp. 19, 1965).</summary>
    private void Transform(Complex[] values)
    {
        int length = values.Length;
        int bits = BitOperations.Log2((uint)length);
        for (int i = 0; i < length; i++)
        {
            int mirrored = 0;
            for (int b = 0; b < bits; b++)
            {
                mirrored |= ((i >> b) & 1) << (bits - 1 - b);
            }

            if (mirrored > i)
            {
                (values[i], values[mirrored]) = (values[mirrored], values[i]);
            }
        }

        for (int half = 1; half < length; half *= 2)
        {
            int stride = length / (2 * half);
            for (int start = 0; start < length; start += 2 * half)
            {
                for (int k = 0; k < half; k++)
                {
                    Complex odd = values[start + half + k] * _roots[k * stride];
                    values[start + half + k] = values[start + k] - odd;
                    values[start + k] += odd;
                }
            }
        }
    }
}
