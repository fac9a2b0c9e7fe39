using Federated.Server.Grains;
using Federated.Server.Hosting;
using Federated.Shared.Protocol;
using Federated.Shared.Protos;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.Extensions.Options;

namespace Federated.Server.Grpc;

/// <summary>The edge at which devices meet their aggregation group.</summary>
internal sealed class GroupGateway(IGrainFactory grains, RoundDirectory rounds, IOptions<SelectionOptions> options) : GroupService.GroupServiceBase
{
    /// <inheritdoc/>
    public override async Task<GroupReply> Exchange(GroupRequest request, ServerCallContext context)
    {
        _ = Demand.Device(request.DeviceId, context);
        Demand.Identifier(request.JobId, "job_id");
        if (!Enum.IsDefined(request.Awaits))
        {
            throw new ProtocolViolationException(ErrorCode.MalformedDocument, $"There is no step {(int)request.Awaits} to wait for.");
        }

        if (request.Message is { StepCase: GroupClientMessage.StepOneofCase.None or GroupClientMessage.StepOneofCase.Input })
        {
            throw new ProtocolViolationException(
                ErrorCode.MalformedDocument, $"A {request.Message.StepCase} message does not come this way; a masked input goes by Submit.");
        }

        if (await rounds.FindAsync(request.JobId, request.Round) is not { Groups: { } groups } facts)
        {
            throw new ProtocolViolationException(ErrorCode.NotFound, $"Job {request.JobId} has no round {request.Round} under secure aggregation.");
        }

        if (!groups.TryGetValue(request.DeviceId, out int group))
        {
            return new GroupReply
            {
                Standing = GroupStanding.LeftOut,
                Detail = $"Device {request.DeviceId} was not selected for round {request.Round}.",
            };
        }

        TimeSpan hold = TimeSpan.FromMilliseconds(request.MaxHoldMs);
        byte[] reply = await grains.Of<IGroupGrain>(GrainKeys.Group(request.JobId, facts.Start.Round, group)).Exchange(
            new GroupAsk
            {
                DeviceId = request.DeviceId,
                Awaits = (int)request.Awaits,
                Hold = hold < options.Value.MaxHold ? hold : options.Value.MaxHold,
                BytesDown = (long)Math.Min(request.BytesDown, long.MaxValue),
                BytesUp = (long)Math.Min(request.BytesUp, long.MaxValue),
            },
            request.Message?.ToByteArray());
        return GroupReply.Parser.ParseFrom(reply);
    }
}
