using Federated.Server.Collection;
using Federated.Server.Grains;
using Federated.Server.Hosting;
using Federated.Server.Identity;
using Federated.Server.Rounds;
using Federated.Shared.Protocol;
using Federated.Shared.Protos;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.Extensions.Options;

namespace Federated.Server.Grpc;

/// <summary>The edge that devices check in at.</summary>
internal sealed class DeviceGateway(
    IGrainFactory grains, RoundDirectory rounds, TimelineRecorder timelines, FleetCensus census, IOptions<SelectionOptions> options) : DeviceService.DeviceServiceBase
{
    private const int MaxLabels = 32;

    /// <inheritdoc/>
    public override async Task<CheckInReply> CheckIn(CheckInRequest request, ServerCallContext context)
    {
        Demand.Version(request.ProtocolVersion);
        EnrolledDevice? caller = Demand.Device(request.DeviceId, context);
        Demand.Identifier(request.Population, "population");
        if (caller is { Population.Length: > 0 } && caller.Population != request.Population)
        {
            throw new ProtocolViolationException(
                ErrorCode.WrongDevice, $"Device '{caller.DeviceId}' is enrolled for population '{caller.Population}', not '{request.Population}'.");
        }

        Demand.Line(request.ClientVersion, "client_version");
        Demand.Line(request.Engine, "engine");
        if (request.Labels.Count > MaxLabels)
        {
            throw new ProtocolViolationException(ErrorCode.LimitExceeded, $"The device has {request.Labels.Count} labels, the limit is {MaxLabels}.");
        }

        foreach ((string name, string value) in request.Labels)
        {
            Demand.Line(name, "the name of a label");
            Demand.Line(value, "the value of a label");
        }

        Demand.Line(request.WithheldDetail, "withheld_detail");
        DateTimeOffset checkedInAt = timelines.Now;
        TimeSpan hold = TimeSpan.FromMilliseconds(request.MaxHoldMs);
        CheckIn offered = new()
        {
            DeviceId = request.DeviceId,
            Labels = LabelsOf(request, caller),
            ClientVersion = request.ClientVersion,
            Engine = request.Engine,
            Hold = hold < options.Value.MaxHold ? hold : options.Value.MaxHold,
        };
        ISelectorGrain selector = grains.Of<ISelectorGrain>(request.Population);
        if (request.Withheld != PolicyReason.Unspecified)
        {
            await selector.Withhold(offered, WireNames.Of(request.Withheld), request.WithheldDetail);
            return new CheckInReply { Retry = new Retry { Reason = RetryReason.Withheld } };
        }

        CheckInAnswer answer = await HoldAsync(offered, request.Population, context.CancellationToken);
        if (answer.JobId is not null)
        {
            timelines.Assigned(answer.JobId, answer.Round, request.DeviceId, checkedInAt);
        }

        return answer.JobId is { } jobId
            ? new CheckInReply
            {
                Assignment = new Assignment { JobId = jobId, Round = (ulong)answer.Round, Plan = UnsafeByteOperations.UnsafeWrap(answer.Plan) },
            }
            : new CheckInReply
            {
                Retry = new Retry
                {
                    AfterMs = (uint)answer.RetryAfter.TotalMilliseconds,
                    Reason = answer.PoolFull ? RetryReason.PoolFull : RetryReason.NoDemand,
                },
            };
    }

    /// <inheritdoc/>
    public override async Task<AbortReply> ReportAbort(AbortReport request, ServerCallContext context)
    {
        _ = Demand.Device(request.DeviceId, context);
        Demand.Identifier(request.JobId, "job_id");
        Demand.Text(request.Detail, "detail");
        RoundFacts facts = await rounds.FindAsync(request.JobId, request.Round)
            ?? throw new ProtocolViolationException(ErrorCode.NotFound, $"Job {request.JobId} has no open round {request.Round}.");
        IRoundGrain round = grains.Of<IRoundGrain>(GrainKeys.Round(request.JobId, facts.Start.Round));
        if (facts.Groups is not null && request.ReachedRound > request.Round)
        {
            timelines.Dropped(request.JobId, facts.Start.Round, request.DeviceId, RoundStateMachine.AheadReason);
            await round.Ahead(request.DeviceId, (long)Math.Min(request.ReachedRound, long.MaxValue));
            return new AbortReply();
        }

        string reason = request.Reason == AbortReason.Policy && request.Policy != PolicyReason.Unspecified
            ? $"{WireNames.Of(request.Reason)}-{WireNames.Of(request.Policy)}"
            : WireNames.Of(request.Reason);
        timelines.Dropped(request.JobId, facts.Start.Round, request.DeviceId, reason);
        await round.Abort(request.DeviceId, reason);
        return new AbortReply();
    }

    private async Task<CheckInAnswer> HoldAsync(CheckIn device, string population, CancellationToken ct)
    {
        census.Arrived(device, population);
        try
        {
            return await grains.Of<ISelectorGrain>(population).CheckIn(device, ct);
        }
        finally
        {
            census.Answered(device.DeviceId);
        }
    }

    // What the operator says of a device wins over what the device says.
    private static Dictionary<string, string> LabelsOf(CheckInRequest request, EnrolledDevice? caller)
    {
        Dictionary<string, string> labels = new(request.Labels);
        foreach ((string name, string value) in caller?.Labels ?? new Dictionary<string, string>())
        {
            labels[name] = value;
        }

        return labels;
    }
}
