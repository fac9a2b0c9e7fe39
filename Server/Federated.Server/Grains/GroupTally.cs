using System.Text;
using Federated.Server.Aggregation;
using Federated.Server.SecureAggregation;
using Federated.Shared.Models;
using Federated.Shared.Protocol;
using Federated.Shared.SecureAggregation;
using Federated.Shared.Updates.Linear;

namespace Federated.Server.Grains;

/// <summary>What a group's members cost, and its sum as the round adds it up. Not thread-safe.</summary>
/// <param name="key">The group's key, which names what is not known of a member.</param>
/// <param name="group">Its number in the round.</param>
/// <param name="round">The round.</param>
/// <param name="linear">The round's fields.</param>
/// <param name="header">The attempt that is counted.</param>
internal sealed class GroupTally(string key, int group, RoundStart round, LinearRound linear, GroupHeader header)
{
    private readonly Dictionary<string, Contribution> _costs = new(StringComparer.Ordinal);

    /// <summary>Remembers what a masked input's device told of itself.</summary>
    public void Add(string deviceId, Contribution contribution) => _costs[deviceId] = contribution;

    /// <summary>Brings a device's bytes up to date: the last answer tells them all.</summary>
    public void Note(GroupAsk ask)
    {
        if (ask.BytesUp > 0 && _costs.TryGetValue(ask.DeviceId, out Contribution? known))
        {
            _costs[ask.DeviceId] = known with { BytesUp = ask.BytesUp, BytesDown = ask.BytesDown };
        }
    }

    /// <summary>The sum as the round adds it up.</summary>
    /// <exception cref="ProtocolViolationException">Members that follow the round cannot have made it.</exception>
    public PartialSum Total(GroupSum sum)
    {
        long[] totals = new long[header.FieldCount];
        sum.AddTo(header, totals);
        LinearStatistics.ReadSums(linear, totals.AsSpan(linear.PaddedLength), sum.Contributors.Count);
        RunningSum running;
        try
        {
            running = RunningSum.OfWholeNumbers(totals, sum.Contributors.Count, Math.Max(header.MaxField, header.MaxScalarField));
        }
        catch (ArgumentException e)
        {
            throw new ProtocolViolationException(ErrorCode.MalformedDocument, $"The sum cannot be one of members that follow the round. {e.Message}");
        }

        return PartialSum.Of(round.JobId, round.Round, group, running, [.. sum.Contributors.Select(ContributionOf)]);
    }

    private Contribution ContributionOf(string deviceId) => _costs.TryGetValue(deviceId, out Contribution? known)
        ? known
        : new Contribution
        {
            // It was added before the server was started again; what the round cost it is not known any more.
            DeviceId = deviceId,
            Content = ContentHash.Of([.. Encoding.UTF8.GetBytes($"{key}/{deviceId}")]),
            ExampleCount = 1,
            MeanLoss = 0,
        };
}
