using Federated.Shared.Randomness;

namespace Federated.Simulator.Population;

/// <summary>
/// Deals examples to devices. Every scheme gives each example to exactly one device and each device at least one example, and repeats
/// under a seed. Results are [devices][examples of the device].
/// </summary>
internal static class Partitioner
{
    /// <summary>
    /// IID (McMahan et al. 2017, arXiv 1602.05629, §3): shuffled, then dealt in even parts; sizes differ by one at most.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">There are fewer examples than devices, or no device.</exception>
    public static int[][] Iid(int examples, int devices, ulong seed)
    {
        RequireEnough(examples, devices, "devices");
        int[] order = Range(examples);
        SeededGenerator.For(seed, "partition/iid").Shuffle<int>(order);
        return Cut(order, devices);
    }

    /// <summary>
    /// Pathological non-IID (McMahan et al. 2017, §3): examples sorted by label, cut into devices · shardsPerDevice even shards, and
    /// shardsPerDevice shards dealt to each device. With 60,000 examples, 100 devices and 2 shards each these are the paper's 200 shards
    /// of 300.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">There are fewer examples than shards, or no device or shard.</exception>
    public static int[][] Shards(ReadOnlySpan<int> labels, int devices, int shardsPerDevice, ulong seed)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(shardsPerDevice);
        int shardCount = checked(devices * shardsPerDevice);
        RequireEnough(labels.Length, shardCount, "shards");
        int[][] shards = Cut(SortedByLabel(labels), shardCount);
        SeededGenerator.For(seed, "partition/shards").Shuffle<int[]>(shards);

        int[][] parts = new int[devices][];
        for (int device = 0; device < devices; device++)
        {
            parts[device] = [.. shards.AsSpan(device * shardsPerDevice, shardsPerDevice).ToArray().SelectMany(shard => shard)];
        }

        return parts;
    }

    /// <summary>
    /// Dirichlet (Hsu, Qi and Brown 2019, arXiv 1909.06335, §3): each device draws label proportions q ~ Dir(αp), p being the label
    /// frequencies of all examples, and fills an even quota by drawing a label from q and the next example of that label. A label that has
    /// run out is left out and q renormalised; when all of a device's labels have run out it draws by what is left. Large α comes near to
    /// IID, small α gives devices of one label.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">α is not above 0, or there are fewer examples than devices.</exception>
    public static int[][] Dirichlet(ReadOnlySpan<int> labels, int devices, double alpha, ulong seed)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(alpha);
        RequireEnough(labels.Length, devices, "devices");
        Queue<int>[] pools = PoolsByLabel(labels, seed);
        int examples = labels.Length;
        double[] concentration = [.. pools.Select(pool => alpha * pool.Count / examples)];
        int[] left = [.. pools.Select(pool => pool.Count)];

        int[][] parts = new int[devices][];
        for (int device = 0; device < devices; device++)
        {
            SeededGenerator generator = SeededGenerator.For(seed, "partition/dirichlet", (ulong)device);
            double[] proportions = DirichletSampler.Sample(concentration, generator);
            int[] part = new int[QuotaOf(device, devices, examples)];
            for (int i = 0; i < part.Length; i++)
            {
                int label = DrawLabel(proportions, left, generator);
                left[label]--;
                part[i] = pools[label].Dequeue();
            }

            parts[device] = part;
        }

        return parts;
    }

    private static int DrawLabel(ReadOnlySpan<double> proportions, ReadOnlySpan<int> left, SeededGenerator generator)
    {
        double mass = 0;
        long remaining = 0;
        for (int label = 0; label < left.Length; label++)
        {
            mass += left[label] > 0 ? proportions[label] : 0;
            remaining += left[label];
        }

        // The device's own labels have run out: what is left decides.
        bool byRemaining = mass <= 0;
        double point = generator.NextDouble() * (byRemaining ? remaining : mass);
        int last = -1;
        for (int label = 0; label < left.Length; label++)
        {
            double weight = left[label] == 0 ? 0 : byRemaining ? left[label] : proportions[label];
            if (weight <= 0)
            {
                continue;
            }

            last = label;
            point -= weight;
            if (point < 0)
            {
                break;
            }
        }

        return last;
    }

    private static Queue<int>[] PoolsByLabel(ReadOnlySpan<int> labels, ulong seed)
    {
        int[] order = Range(labels.Length);
        SeededGenerator.For(seed, "partition/dirichlet/pools").Shuffle<int>(order);
        int classes = 0;
        foreach (int label in labels)
        {
            classes = Math.Max(classes, label + 1);
        }

        Queue<int>[] pools = new Queue<int>[classes];
        for (int label = 0; label < classes; label++)
        {
            pools[label] = new Queue<int>();
        }

        foreach (int index in order)
        {
            pools[labels[index]].Enqueue(index);
        }

        return pools;
    }

    private static int[] SortedByLabel(ReadOnlySpan<int> labels)
    {
        int[] keys = labels.ToArray();

        // OrderBy is stable, so equal labels keep the order of the file.
        return [.. Range(labels.Length).OrderBy(index => keys[index])];
    }

    private static int[][] Cut(ReadOnlySpan<int> order, int parts)
    {
        int[][] cut = new int[parts][];
        int start = 0;
        for (int part = 0; part < parts; part++)
        {
            int length = QuotaOf(part, parts, order.Length);
            cut[part] = order.Slice(start, length).ToArray();
            start += length;
        }

        return cut;
    }

    private static int QuotaOf(int part, int parts, int examples) => (examples / parts) + (part < examples % parts ? 1 : 0);

    private static int[] Range(int count)
    {
        int[] range = new int[count];
        for (int i = 0; i < count; i++)
        {
            range[i] = i;
        }

        return range;
    }

    private static void RequireEnough(int examples, int parts, string what)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(parts);
        if (examples < parts)
        {
            throw new ArgumentOutOfRangeException(
                what, parts, $"{examples} examples cannot be dealt to {parts} {what}: each needs at least one. Ask for fewer {what} or give more data.");
        }
    }
}
