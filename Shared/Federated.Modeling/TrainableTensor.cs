using Federated.Modeling.Graphs;
using Federated.Shared.Models;
using Federated.Shared.Randomness;

namespace Federated.Modeling;

/// <summary>How a tensor starts.</summary>
public enum Initialization
{
    /// <summary>All zeros: biases, and the factors B.</summary>
    Zero,

    /// <summary>Uniform with variance 2 / fan-in: weights before a ReLU (He et al. 2015, arXiv 1502.01852, section 2.2).</summary>
    He,

    /// <summary>Uniform with variance 2 / (fan-in + fan-out): weights before a softmax (Glorot and Bengio 2010, equation 16).</summary>
    Glorot,

    /// <summary>
    /// Uniform with variance 1 / (3 · fan-in): the factors A. Kaiming's rule for a leaky ReLU of slope √5, which is what LoRA's own code and PEFT use,
    /// where the paper says Gaussian (Hu et al. 2021, arXiv 2106.09685, section 4.1).
    /// </summary>
    Kaiming,

    /// <summary>The values it had in the file it was imported from.</summary>
    Given,

    /// <summary>Uniform with standard deviation 0.02: weights of transformers (Radford et al. 2019, which draws normal numbers).</summary>
    Small,

    /// <summary>All ones: the scales of normalizations.</summary>
    One,
}

/// <summary>A graph input that training changes, and how it starts.</summary>
/// <param name="Value">The input; its shape is known.</param>
/// <param name="Initialization">The distribution.</param>
/// <param name="FanIn">Inputs that one output sums over.</param>
/// <param name="FanOut">Outputs that one input goes to.</param>
public sealed record TrainableTensor(GraphValue Value, Initialization Initialization, long FanIn, long FanOut)
{
    /// <summary>What it is to a low-rank change; null for a whole weight.</summary>
    public LoraFactor? Lora { get; init; }

    /// <summary>The values of <see cref="Initialization.Given"/>; null for the others.</summary>
    public ReadOnlyMemory<float>? Values { get; init; }

    /// <summary>
    /// Writes the initial values. Uniform distributions and square roots are exact on every platform, so equal seeds give equal bits; a normal
    /// distribution would depend on the platform's logarithm.
    /// </summary>
    /// <param name="values">As many as the shape's product.</param>
    /// <param name="seed">The seed a person states.</param>
    public void Initialize(Span<float> values, ulong seed)
    {
        switch (Initialization)
        {
            case Initialization.Zero:
                values.Clear();
                return;
            case Initialization.One:
                values.Fill(1);
                return;
            case Initialization.Given:
                Values!.Value.Span.CopyTo(values);
                return;
        }

        double variance = Initialization switch
        {
            Initialization.He => 2.0 / FanIn,
            Initialization.Small => 0.02 * 0.02,
            Initialization.Glorot => 2.0 / (FanIn + FanOut),
            _ => 1.0 / (3.0 * FanIn),
        };
        double limit = Math.Sqrt(3 * variance);
        SeededGenerator generator = SeededGenerator.For(seed, "init", 0, Value.Name);
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = (float)(limit * ((2 * generator.NextDouble()) - 1));
        }
    }
}
