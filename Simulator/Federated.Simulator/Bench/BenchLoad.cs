using Federated.Training;
using Federated.Training.Data;

namespace Federated.Simulator.Bench;

/// <summary>A job that measures the platform, and what its clients hold.</summary>
/// <param name="JobJson">The job's spec.</param>
/// <param name="Clients">Clients; every one of them takes part in every round.</param>
/// <param name="Examples">What client i trains on.</param>
internal sealed record BenchLoad(string JobJson, int Clients, Func<int, IExampleSource> Examples)
{
    private const int RoundsToSpare = 100_000;

    /// <summary>Clients return <paramref name="parameters"/> parameters unchanged: the platform without training.</summary>
    public static BenchLoad Unchanged(int parameters, int clients)
    {
        SingleExample example = new();
        return new BenchLoad(Job($$"""{ "builder": "vector", "parameters": {{parameters}} }""", "{}", clients), clients, _ => example);
    }

    /// <summary>
    /// Clients train a 784-128-10 perceptron on 60 digits each, B = 20, one epoch. The digits of further clients wrap around.
    /// </summary>
    public static BenchLoad SmallPerceptron(IExampleSource digits, int clients)
    {
        const int ExamplesPerClient = 60;
        return new BenchLoad(
            Job("""{ "builder": "mlp", "hidden": [128] }""", """{ "epochs": 1, "batchSize": 20, "learningRate": 0.1 }""", clients),
            clients,
            client => new ExampleSubset(
                digits, [.. Enumerable.Range(0, ExamplesPerClient).Select(i => ((client * ExamplesPerClient) + i) % digits.Count)]));
    }

    private static string Job(string model, string training, int clients) => $$"""
        {
          "name": "bench", "population": "bench", "rounds": {{RoundsToSpare}}, "model": {{model}}, "training": {{training}},
          "cohort": { "goal": {{clients}}, "overSelection": 1.0, "quorum": 1.0, "minimumPool": {{clients}} }
        }
        """;

    /// <summary>A bare vector has nothing to train on; one example gives the update its weight.</summary>
    private sealed class SingleExample : IExampleSource
    {
        public int Count => 1;

        public ExampleFormat Format => ExampleFormat.Classified(1);

        public void CopyTo(ReadOnlySpan<int> indices, ExampleBatch batch)
        {
            batch.Features.Clear();
            batch.Labels.Clear();
        }
    }
}
