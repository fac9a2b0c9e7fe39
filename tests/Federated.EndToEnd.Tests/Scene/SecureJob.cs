namespace Federated.EndToEnd.Tests.Scene;

/// <summary>The spec of a small job for a <see cref="KillableFleet"/>.</summary>
internal static class SecureJob
{
    public static string Spec(int devices, string aggregation, int rounds, int valueBits = 8, double quorum = 0.6, double density = 1, string indexSet = "random", double reportSeconds = 100) => $$"""
        {
          "name": "killable", "population": "killable", "seed": 5, "rounds": {{rounds}},
          "model": { "builder": "mlp", "hidden": [24] },
          "cohort": { "goal": {{devices}}, "overSelection": 1.0, "quorum": {{quorum:F2}}, "minimumPool": {{devices}} },
          "deadlines": { "reportSeconds": {{reportSeconds}} },
          "training": { "epochs": 2, "batchSize": 10, "learningRate": 0.1 },
          "update": { "codec": "linear", "density": {{density}}, "valueBits": {{valueBits}}, "exampleCap": 60, "indexSet": "{{indexSet}}" },
          "aggregation": {{aggregation}},
          "evaluation": { "data": { "kind": "idx", "images": "{{Mnist.TestImages}}", "labels": "{{Mnist.TestLabels}}" } }
        }
        """;
}
