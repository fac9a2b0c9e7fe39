using Federated.Server.Aggregation.ServerOptimizers;
using Federated.Server.Privacy;
using Federated.Shared.Randomness;
using Federated.Shared.Updates.Bits;
using Federated.Shared.Updates.Indices;
using Federated.Shared.Updates.Linear;

namespace Federated.Server.Jobs;

/// <summary>How a job's settings become the rounds of the linear codec, and which settings cannot.</summary>
internal static class LinearSettings
{
    /// <summary>Share of the parameters sent, when the job states none.</summary>
    public const double DefaultDensity = 0.1;

    /// <summary>b, when the job states none.</summary>
    public const int DefaultWidthBits = 8;

    /// <summary>Narrowest fields: below it hardly any group fits.</summary>
    public const int MinWidthBits = 4;

    /// <summary>Widest fields: unmasked ones are summed as float32, in which their values are whole, and within the sum's range.</summary>
    public const int MaxWidthBits = 22;

    /// <summary>Sums that vote on the next set, for each coordinate that is sent.</summary>
    private const double VoteShare = 0.25;

    /// <summary>Least levels either way that each client must have, or its values are little more than noise.</summary>
    private const int LeastLimit = 2;

    /// <summary>The round that clients share.</summary>
    /// <param name="spec">A job with the linear codec.</param>
    /// <param name="round">From 1.</param>
    /// <param name="parameters">Parameters that are sent.</param>
    /// <param name="clipNorm">C of this round.</param>
    /// <param name="cohort">Devices selected.</param>
    /// <exception cref="InvalidSettingsException">The fields are too narrow for the noise that the job wants.</exception>
    public static LinearRound RoundOf(JobSpec spec, long round, int parameters, double clipNorm, int cohort)
    {
        UpdateSettings update = spec.Update;
        int width = update.ValueBits ?? DefaultWidthBits;
        int count = Math.Clamp((int)Math.Ceiling((update.Density ?? DefaultDensity) * parameters), update.IndexSet == IndexSetKind.Momentum ? Math.Min(2, parameters) : 1, parameters);
        int votes = update.IndexSet == IndexSetKind.Voted ? Math.Min(parameters, (int)Math.Ceiling(VoteShare * count)) : 0;
        int block = HadamardRotation.BlockFor(count + votes);
        int clients = SecureAggregationSettings.LargestGroup(spec.Aggregation.Secure, cohort);
        LinearRound linear = new()
        {
            Seed = SeededGenerator.For(spec.Seed, "linear-round", (ulong)round).NextUInt64(),
            ParameterCount = parameters,
            IndexSet = update.IndexSet,
            SetSize = count,
            Votes = votes,
            ClipNorm = clipNorm,
            Step = RingWidth.FinestStep(width, clipNorm, HadamardRotation.PaddedLength(count + votes, block), clients),
            WidthBits = width,
            RotationBlock = block,
            MinClients = 1,
            MaxClients = clients,
            MaxExamples = update.ExampleCap,
        };
        return PrivacyCost.WithNoise(spec, linear);
    }

    /// <summary>Refuses widths at which sums could wrap or clients would have no levels left.</summary>
    public static IEnumerable<SettingProblem> ValidateWidth(UpdateSettings update, CohortSettings cohort, SecureAggregationSettings? secure)
    {
        int width = update.ValueBits ?? DefaultWidthBits;
        if (update.Codec != UpdateCodec.Linear || width is < MinWidthBits or > MaxWidthBits || cohort.Goal is < 1 or > CohortSettings.MaxGoal)
        {
            yield break;
        }

        int clients = SecureAggregationSettings.LargestGroup(secure, cohort.CohortSize);
        int least = Enumerable.Range(MinWidthBits, MaxWidthBits - MinWidthBits + 1).First(bits => RingWidth.Limit(bits, clients) >= LeastLimit);
        if (width < least)
        {
            yield return new SettingProblem(
                "update.valueBits",
                $"{width} with groups of up to {clients} devices: sums of values from -{RingWidth.Limit(width, clients)} to {RingWidth.Limit(width, clients)} are all that cannot wrap",
                $"{least} to {MaxWidthBits}, where each device has at least {LeastLimit} levels either way; or a smaller cohort or aggregation.secure.groupSize");
        }
    }

    /// <summary>Refuses index sets that the rest of a job has nothing to find with.</summary>
    public static IEnumerable<SettingProblem> ValidateSet(JobSpec spec)
    {
        const string Path = "update.indexSet";
        if (spec.Update is not { Codec: UpdateCodec.Linear, IndexSet: not IndexSetKind.Random } update)
        {
            yield break;
        }

        string name = AllowedText.NameOf(update.IndexSet, StrictJson.Options);
        if (update.IndexSet == IndexSetKind.Momentum && spec.Server.Optimizer == ServerOptimizerKind.FedAvg)
        {
            yield return new SettingProblem(
                Path, $"{name} together with server.optimizer = fedAvg", "random or voted: this optimizer keeps no momentum; or server.optimizer = fedAvgM, fedAdagrad, fedAdam or fedYogi");
        }

        if (spec.Training.Directions is not null)
        {
            yield return new SettingProblem(Path, $"{name} together with training.directions", "random: what is sent belongs to directions that the next round does not have");
        }

        if (spec.Privacy is not null)
        {
            yield return new SettingProblem(Path, $"{name} together with privacy", "random: a set that follows from what devices hold tells of it, and the account does not cover that");
        }
    }

    /// <summary>
    /// Unpacks one client's fields as the floats in which they are summed: coordinates centred, statistics as counts. Whole numbers below 2^22,
    /// so nothing is rounded.
    /// </summary>
    /// <param name="round">The round.</param>
    /// <param name="packed">[<see cref="LinearRound.PackedBytes"/>].</param>
    /// <param name="values">[<see cref="LinearRound.FieldCount"/>].</param>
    /// <returns>What is wrong with the fields, or null.</returns>
    public static string? Unpack(LinearRound round, ReadOnlySpan<byte> packed, Span<float> values)
    {
        Span<uint> fields = System.Runtime.InteropServices.MemoryMarshal.Cast<float, uint>(values);
        FieldPacking.Unpack(packed, round.WidthBits, fields);
        int coordinates = round.PaddedLength;
        int unused = 32 - round.WidthBits;
        int limit = round.Limit;
        long[] statistics = new long[fields.Length - coordinates];
        for (int i = 0; i < coordinates; i++)
        {
            int value = unchecked((int)(fields[i] << unused)) >> unused;
            if (value > limit || value < -limit)
            {
                return $"field {i} is {value}, clients keep within -{limit} to {limit}";
            }

            values[i] = value;
        }

        for (int i = coordinates; i < fields.Length; i++)
        {
            statistics[i - coordinates] = fields[i];
            values[i] = fields[i];
        }

        try
        {
            LinearStatistics.ReadSums(round, statistics, 1);
            return null;
        }
        catch (Federated.Shared.Protocol.ProtocolViolationException e)
        {
            return e.Message.TrimEnd('.');
        }
    }
}
