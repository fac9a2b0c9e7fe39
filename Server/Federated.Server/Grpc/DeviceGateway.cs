using Federated.Server.Grains;
using Federated.Server.Hosting;
using Federated.Shared.Protocol;
using Federated.Shared.Protos;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.Extensions.Options;

namespace Federated.Server.Grpc;

/// <summary>The edge that devices check in at.</summary>
internal sealed class DeviceGateway(IGrainFactory grains, RoundDirectory rounds, IOptions<SelectionOptions> options) : DeviceService.DeviceServiceBase
{
    private const int MaxLabels = 32;

    /// <inheritdoc/>
    public override async Task<CheckInReply> CheckIn(CheckInRequest request, ServerCallContext context)
    {
        Demand.Version(request.ProtocolVersion);
        Demand.Identifier(request.DeviceId, "device_id");
        Demand.Identifier(request.Population, "population");
        Demand.Text(request.ClientVersion, "client_version");
        Demand.Text(request.Engine, "engine");
        if (request.Labels.Count > MaxLabels)
        {
            throw new ProtocolViolationException(ErrorCode.LimitExceeded, $"The device has {request.Labels.Count} labels, the limit is {MaxLabels}.");
        }

        foreach ((string name, string value) in request.Labels)
        {
            Demand.Text(name, "the name of a label");
            Demand.Text(value, "the value of a label");
        }

        TimeSpan hold = TimeSpan.FromMilliseconds(request.MaxHoldMs);
        CheckInAnswer answer = await grains.GetGrain<ISelectorGrain>(request.Population).CheckIn(
            new CheckIn
            {
                DeviceId = request.DeviceId,
                Labels = new Dictionary<string, string>(request.Labels),
                ClientVersion = request.ClientVersion,
                Engine = request.Engine,
                Hold = hold < options.Value.MaxHold ? hold : options.Value.MaxHold,
            },
            context.CancellationToken);
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
        Demand.Identifier(request.DeviceId, "device_id");
        Demand.Identifier(request.JobId, "job_id");
        Demand.Text(request.Detail, "detail");
        if (await rounds.FindAsync(request.JobId, request.Round) is null)
        {
            throw new ProtocolViolationException(ErrorCode.NotFound, $"Job {request.JobId} has no open round {request.Round}.");
        }

        await grains.GetGrain<IRoundGrain>(GrainKeys.Round(request.JobId, (long)request.Round)).Abort(request.DeviceId, WireNames.Of(request.Reason));
        return new AbortReply();
    }
}
