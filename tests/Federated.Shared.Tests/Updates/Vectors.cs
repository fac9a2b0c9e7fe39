using Federated.Shared.Randomness;

namespace Federated.Shared.Tests.Updates;

/// <summary>Vectors that look like updates.</summary>
internal static class Vectors
{
    /// <summary>Normal values times a factor that varies over seven orders of magnitude; a tenth of them are zero.</summary>
    public static float[] HeavyTailed(int length, ulong seed)
    {
        SeededGenerator random = SeededGenerator.For(seed, "heavy-tailed");
        float[] vector = new float[length];
        for (int i = 0; i < length; i++)
        {
            double scale = Math.Pow(10, (7 * random.NextDouble()) - 6);
            vector[i] = random.NextInt(10) == 0 ? 0f : (float)(random.NextGaussian() * scale);
        }

        return vector;
    }

    /// <summary>Standard normal values.</summary>
    public static float[] Normal(int length, ulong seed)
    {
        SeededGenerator random = SeededGenerator.For(seed, "normal");
        float[] vector = new float[length];
        for (int i = 0; i < length; i++)
        {
            vector[i] = (float)random.NextGaussian();
        }

        return vector;
    }
}
