using Federated.EndToEnd.Tests.Scene;
using Federated.Server.Rounds;
using Federated.Shared.Protocol;
using Federated.Shared.Protos;
using Federated.Shared.Randomness;

namespace Federated.EndToEnd.Tests;

/// <summary>Updates with random damage, under headers that are true of the damaged bytes, so that nothing but the content can give them away.</summary>
public sealed class MutatedUpdateTests(RunningServer server) : IClassFixture<RunningServer>
{
    private const int Mutations = 2_000;
    private const int AtATime = 8;

    [Fact]
    public async Task Submit_RandomMutations_AreAllRefusedAndTheModelIsThatOfTheHonest()
    {
        VectorJob job = await VectorJob.SubmitAsync(server, "mutants", devices: 2, goal: 2, rounds: 1, parameters: 16);
        PlanDocument plan = await job.OpenRoundAsync();
        Hostility hostility = new(job.Devices[0], plan, plan);
        byte[][] mutants = [.. Mutants(hostility.Payload, plan).Take(Mutations)];

        SubmitOutcome[] outcomes = new SubmitOutcome[Mutations];
        await Parallel.ForAsync(
            0,
            Mutations,
            new ParallelOptions { MaxDegreeOfParallelism = AtATime, CancellationToken = TestContext.Current.CancellationToken },
            async (i, _) => outcomes[i] = (await hostility.SendPayloadAsync(mutants[i])).Outcome);

        Assert.All(outcomes.Zip(mutants), pair => Assert.False(
            pair.First is SubmitOutcome.Accepted or SubmitOutcome.Duplicate or SubmitOutcome.Unspecified,
            $"{pair.First}: {Convert.ToHexString(pair.Second)}"));
        await VectorJob.ContributeAsync(plan, job.Devices);
        RoundRecord record = await job.CommittedAsync(plan, job.Devices);
        HostileSubmissionTests.AssertRefused(record, [.. outcomes.CountBy(outcome => outcome).Select(pair => (pair.Key, pair.Value))]);
    }

    /// <summary>Endless; damage that leaves another sound update of the round is left out, for such an update is welcome.</summary>
    private static IEnumerable<byte[]> Mutants(byte[] payload, PlanDocument plan)
    {
        SeededGenerator random = SeededGenerator.For(4, "mutants");
        while (true)
        {
            byte[] mutant = [.. payload];
            for (int damage = random.NextInt(3); damage >= 0 && mutant.Length > 1; damage--)
            {
                mutant = Damage(mutant, random);
            }

            if (mutant.Length > 0 && !IsSound(mutant, plan))
            {
                yield return mutant;
            }
        }
    }

    private static byte[] Damage(byte[] bytes, SeededGenerator random)
    {
        // Most of the structure is in front of the values.
        int at = random.NextInt(random.NextInt(2) == 0 ? Math.Min(48, bytes.Length) : bytes.Length);
        switch (random.NextInt(6))
        {
            case 0:
                bytes[at] ^= (byte)(1 << random.NextInt(8));
                return bytes;
            case 1:
                bytes[at] = (byte)random.NextInt(256);
                return bytes;
            case 2:
                return bytes[..at];
            case 3:
                return [.. bytes[..at], .. bytes[(at + 1)..]];
            case 4:
                return [.. bytes[..at], (byte)random.NextInt(256), .. bytes[at..]];
            default:
                return [.. bytes[..at], .. bytes[(at / 2)..]];
        }
    }

    private static bool IsSound(byte[] mutant, PlanDocument plan)
    {
        try
        {
            UpdateDocument document = UpdateDocument.FromBytes(mutant, plan.ParameterCount);
            bool usable = double.IsFinite(document.MeanLoss);
            foreach (float value in document.DenseValues)
            {
                usable &= float.IsFinite(value) && (double)Math.Abs(value) * document.ExampleCount < 1 << 22;
            }

            return usable && document.JobId == plan.JobId && document.Round == plan.Round && document.ModelVersion == plan.ModelVersion;
        }
        catch (ProtocolViolationException)
        {
            return false;
        }
    }
}
