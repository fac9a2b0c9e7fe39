using Federated.Server.Jobs;
using Federated.Simulator.Population;
using Federated.Training;
using Federated.Training.Data;

namespace Federated.Simulator.Scenarios;

/// <summary>A scenario's examples and whose they are.</summary>
/// <param name="Examples">All of them.</param>
/// <param name="Parts">[devices][indices of the device's examples].</param>
internal sealed record ScenarioExamples(IExampleSource Examples, int[][] Parts)
{
    /// <summary>Reads and deals the examples of a scenario.</summary>
    /// <exception cref="InvalidSettingsException">There are too few examples for the population, or other authors than devices.</exception>
    /// <exception cref="InvalidDataException">The examples cannot be read.</exception>
    public static ScenarioExamples Open(Scenario scenario)
    {
        PopulationSettings population = scenario.Population;
        if (scenario.Data.Kind == ExampleKind.Corpus)
        {
            CorpusExamples corpus = OpenCorpus(scenario.Data);
            return corpus.Parts.Length == population.Devices
                ? new ScenarioExamples(corpus.Examples, corpus.Parts)
                : throw new InvalidSettingsException(
                    [new SettingProblem("population.devices", $"{population.Devices} for {corpus.Parts.Length} authors", $"{corpus.Parts.Length}: with partition = natural each author is a device")]);
        }

        IdxExamples images = IdxExamples.Load(scenario.Data.Images!, scenario.Data.Labels!);
        int[] chosen = Chosen(scenario.Data, images.Count);
        int[][] parts = [.. Deal(population, images, chosen, scenario.Job.Seed).Select(part => part.Select(i => chosen[i]).ToArray())];
        return new ScenarioExamples(Varied(images, population.Variants ?? [], parts), parts);
    }

    /// <summary>The examples of a pretraining, dealt to nobody; images once in each variant.</summary>
    /// <exception cref="InvalidDataException">They cannot be read.</exception>
    public static IExampleSource OpenWhole(PretrainingSettings pretraining)
    {
        ExampleSettings data = pretraining.Data;
        if (data.Kind == ExampleKind.Corpus)
        {
            return OpenCorpus(data).Examples;
        }

        IdxExamples images = IdxExamples.Load(data.Images!, data.Labels!);
        int[] chosen = Chosen(data, images.Count);
        if (pretraining.Variants is not { } variants)
        {
            return new ExampleSubset(images, chosen);
        }

        ExampleSubset repeated = new(images, [.. variants.SelectMany(_ => chosen)]);
        return new VariedImages(repeated, images.ExampleShape, [.. variants.SelectMany(variant => Enumerable.Repeat(variant, chosen.Length))]);
    }

    private static CorpusExamples OpenCorpus(ExampleSettings data) =>
        CorpusExamples.Of(TextCorpus.Load(data.Path!).Select(data.From, data.To, data.Part ?? CorpusPart.AllButLast), data.Length!.Value);

    private static int[] Chosen(ExampleSettings data, int count)
    {
        int skip = data.Skip ?? 0;
        int take = data.Take ?? (count - skip);
        return skip + (long)take <= count && take >= 1
            ? [.. Enumerable.Range(skip, take)]
            : throw new InvalidSettingsException([new SettingProblem("data.take", $"{take} after skip = {skip}", $"at most {count} in all: so many examples there are")]);
    }

    private static int[][] Deal(PopulationSettings population, IdxExamples images, int[] chosen, ulong seed)
    {
        int[] labels = [.. chosen.Select(i => (int)images.Labels[i])];
        int shards = population.Partition == PartitionScheme.Shards ? population.ShardsPerDevice ?? 2 : 1;
        if (labels.Length / shards < population.Devices)
        {
            string parts = shards > 1 ? $" of {shards} shards each" : "";
            throw new InvalidSettingsException([new SettingProblem(
                "population.devices",
                $"{population.Devices}{parts} for {labels.Length} examples",
                $"at most {labels.Length / shards}, so that each {(shards > 1 ? "shard" : "device")} has an example; or a larger data.take")]);
        }

        return population.Partition switch
        {
            PartitionScheme.Iid => Partitioner.Iid(labels.Length, population.Devices, seed),
            PartitionScheme.Shards => Partitioner.Shards(labels, population.Devices, shards, seed),
            PartitionScheme.Dirichlet => Partitioner.Dirichlet(labels, population.Devices, population.Alpha ?? 0.5, seed),
            _ => throw new InvalidOperationException($"No partition is known for {population.Partition}."),
        };
    }

    /// <summary>Device d sees its images in variant d mod n.</summary>
    private static IExampleSource Varied(IdxExamples images, IReadOnlyList<ImageVariant> variants, int[][] parts)
    {
        if (variants.Count == 0)
        {
            return images;
        }

        ImageVariant[] seen = new ImageVariant[images.Count];
        for (int device = 0; device < parts.Length; device++)
        {
            foreach (int example in parts[device])
            {
                seen[example] = variants[device % variants.Count];
            }
        }

        return new VariedImages(images, images.ExampleShape, seen);
    }
}
