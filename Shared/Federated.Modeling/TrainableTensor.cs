using Federated.Modeling.Graphs;
using Federated.Shared.Randomness;

namespace Federated.Modeling;

/// <summary>How a tensor starts.</summary>
public enum Initialization
{
    /// <summary>All zeros: biases.</summary>
    Zero,

    /// <summary>Uniform with variance 2 / fan-in: weights before a ReLU (He et al. 2015, arXiv 1502.01852, section 2.2).</summary>
    He,

    /// <summary>Uniform with variance 2 / (fan-in + fan-out): weights before a softmax (Glorot and Bengio 2010, equation 16).</summary>
    Glorot,
}

/// <summary>A graph input that training changes, and how it starts.</summary>
/// <param name="Value">The input; its shape is known.</param>
/// <param name="Initialization">The distribution.</param>
/// <param name="FanIn">Inputs that one output sums over.</param>
/// <param name="FanOut">Outputs that one input goes to.</param>
public sealed record TrainableTensor(GraphValue Value, Initialization Initialization, long FanIn, long FanOut)
{
    /// <summary>
    /// Writes the initial values. Uniform distributions and square roots are exact on every platform, so equal seeds give equal bits; a normal
    /// distribution would depend on the platform's logarithm.
    /// </summary>
    /// <param name="values">As many as the shape's product.</param>
    /// <param name="seed">The seed a person states.</param>
    public void Initialize(Span<float> values, ulong seed)
    {
        if (Initialization == Initialization.Zero)
        {
            values.Clear();
            return;
        }

        double variance = Initialization == Initialization.He ? 2.0 / FanIn : 2.0 / (FanIn + FanOut);
        double limit = Math.Sqrt(3 * variance);
        SeededGenerator generator = SeededGenerator.For(seed, "init", 0, Value.Name);
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = (float)(limit * ((2 * generator.NextDouble()) - 1));
        }
    }
}
