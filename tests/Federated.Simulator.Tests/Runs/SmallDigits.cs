using System.Buffers.Binary;
using Federated.Shared.Randomness;
using Federated.Simulator.Scenarios;

namespace Federated.Simulator.Tests.Runs;

/// <summary>A learnable toy: 4×4 pictures of which the label says which quarter is bright.</summary>
internal static class SmallDigits
{
    /// <summary>The scenario's file.</summary>
    public const string Text =
        """
        {
          "name": "toy",
          "job": {
            "rounds": 4,
            "model": { "builder": "mlp", "inputs": 16, "hidden": [8], "classes": 4 },
            "cohort": { "goal": 4, "overSelection": 2, "quorum": 0.25 },
            "training": { "learningRate": 0.5 },
            "evaluation": { "data": { "kind": "idx", "images": "test-images", "labels": "test-labels" } }
          },
          "population": { "devices": 12, "partition": "dirichlet", "alpha": 1 },
          "faults": { "dropRate": 0.2, "jitter": 0.5 },
          "data": { "kind": "idx", "images": "train-images", "labels": "train-labels" }
        }
        """;

    private const int Side = 4;

    public static void Write(string folder)
    {
        Write(folder, "train", 400, seed: 1);
        Write(folder, "test", 100, seed: 2);
    }

    public static ReadScenario Scenario(string folder, params string[] overrides) => ScenarioReader.Locate(
        ScenarioReader.Read(
            Text,
            overrides),
        folder,
        readsHeldOut: true);

    private static void Write(string folder, string name, int count, ulong seed)
    {
        SeededGenerator generator = SeededGenerator.For(seed, "digits");
        byte[] images = new byte[16 + (count * Side * Side)];
        byte[] labels = new byte[8 + count];
        int[] imageHeader = [0x803, count, Side, Side];
        int[] labelHeader = [0x801, count];
        for (int i = 0; i < imageHeader.Length; i++)
        {
            BinaryPrimitives.WriteInt32BigEndian(images.AsSpan(4 * i), imageHeader[i]);
        }

        for (int i = 0; i < labelHeader.Length; i++)
        {
            BinaryPrimitives.WriteInt32BigEndian(labels.AsSpan(4 * i), labelHeader[i]);
        }

        for (int n = 0; n < count; n++)
        {
            int label = generator.NextInt(4);
            labels[8 + n] = (byte)label;
            for (int pixel = 0; pixel < Side * Side; pixel++)
            {
                int quarter = (pixel / Side / 2 * 2) + (pixel % Side / 2);
                images[16 + (n * Side * Side) + pixel] = (byte)(generator.NextInt(120) + (quarter == label ? 130 : 0));
            }
        }

        File.WriteAllBytes(Path.Combine(folder, $"{name}-images"), images);
        File.WriteAllBytes(Path.Combine(folder, $"{name}-labels"), labels);
    }
}
