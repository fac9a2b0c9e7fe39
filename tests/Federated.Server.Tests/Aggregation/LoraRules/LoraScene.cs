using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Federated.Server.Aggregation;
using Federated.Server.Aggregation.LoraRules;
using Federated.Server.Aggregation.ServerOptimizers;
using Federated.Shared.Models;
using Federated.Shared.Randomness;

namespace Federated.Server.Tests.Aggregation.LoraRules;

/// <summary>One client of a round: its rank, its examples, and the adapter it ended with.</summary>
internal sealed record SceneClient(int Rank, int Examples, float[] Adapter);

/// <summary>A round of a small adapter with two pairs and a plain tensor, taken through a rule and the running sum as the server does.</summary>
internal sealed class LoraScene
{
    public const int FullRank = 3;

    private readonly SeededGenerator _random;

    private static readonly (string Name, IReadOnlyList<int> Shape)[] Bases = [("one.weight", [5, 4]), ("two.weight", [3, 2, 3, 1])];

    public LoraScene(ulong seed, bool bases = false)
    {
        _random = SeededGenerator.For(seed, "scene");
        Layout = LoraLayout.Of(
            ParameterLayout.Of(
            [
                ("one.A", [FullRank, 5]), ("one.B", [4, FullRank]), ("bias", [7]), ("two.B", [3, FullRank, 1, 1]), ("two.A", [FullRank, 2, 3, 1]),
                .. bases ? Bases : [],
            ]),
            [
                new LoraFactor("one", LoraMatrix.A, FullRank, 0.5), new LoraFactor("one", LoraMatrix.B, FullRank, 0.5), null,
                new LoraFactor("two", LoraMatrix.B, FullRank, 2), new LoraFactor("two", LoraMatrix.A, FullRank, 2),
                .. bases
                    ? new LoraFactor?[] { new("one", LoraMatrix.Base, FullRank, 0.5, InputsFirst: true), new("two", LoraMatrix.Base, FullRank, 2) }
                    : [],
            ]);
        Start = Random(1);
    }

    public LoraLayout Layout { get; }

    public float[] Start { get; }

    public int Next(int bound) => _random.NextInt(bound);

    public float[] Random(double spread)
    {
        float[] values = new float[Layout.Parameters.Length];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = (float)(spread * _random.NextGaussian());
        }

        return values;
    }

    /// <summary>Clients that moved every tensor the rule lets them; with a rank, within the leading rows and columns.</summary>
    public SceneClient[] Train(ImmutableArray<ParameterRole> roles, params int[] ranks) =>
    [
        .. ranks.Select(rank =>
        {
            float[] adapter = [.. Start];
            Layout.Truncate(adapter, rank);
            float[] moved = [.. adapter.Zip(Random(0.3), (x, d) => x + d)];
            Layout.Truncate(moved, rank);
            for (int i = 0; i < roles.Length; i++)
            {
                ParameterSpec spec = Layout.Parameters.Parameters[i];
                if (roles[i] != ParameterRole.Frozen)
                {
                    moved.AsSpan(spec.Offset, spec.Length).CopyTo(adapter.AsSpan(spec.Offset));
                }
            }

            return new SceneClient(rank, 1 + _random.NextInt(9), adapter);
        }),
    ];

    /// <summary>What the client sends: the packed delta.</summary>
    public float[] Sent(ILoraRule rule, SceneClient client, long round)
    {
        float[] start = [.. Start];
        Layout.Truncate(start, client.Rank);
        float[] delta = [.. client.Adapter.Zip(start, (x, s) => x - s)];
        ParameterSelection selection = ParameterSelection.Of(Layout, rule.Roles(round), ParameterRole.Sent, client.Rank);
        float[] packed = new float[selection.Length];
        selection.Gather(delta, packed);
        return packed;
    }

    /// <summary>Sums the clients' updates and applies the rule with plain averaging; gives the next adapter.</summary>
    public (float[] Adapter, LoraOutcome Outcome) Run(ILoraRule rule, SceneClient[] clients, long round = 1, ServerOptimizerStep? step = null)
    {
        RunningSum sum = new(rule.SumLength(round));
        foreach (SceneClient client in clients)
        {
            float[] sent = Sent(rule, client, round);
            float[] summed = rule.SumsUpdatesAsSent ? sent : new float[sum.ParameterCount];
            if (!rule.SumsUpdatesAsSent)
            {
                rule.Expand(new LoraUpdate(sent, round, client.Rank, client.Examples), Start, summed);
            }

            UpdateCheck check = RunningSum.Check(summed, client.Examples);
            Assert.True(check.InRange);
            sum.Fold([new PendingUpdate(MemoryMarshal.AsBytes<float>(summed).ToArray(), client.Examples, check.MaxMagnitude)]);
        }

        float[] mean = new float[sum.ParameterCount];
        sum.Mean(mean);
        float[] adapter = [.. Start];
        LoraOutcome outcome = rule.Apply(mean, adapter, round, step ?? new ServerOptimizerStep(new FedAvg(1), []));
        return (adapter, outcome);
    }
}
