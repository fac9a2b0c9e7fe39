using System.Runtime.InteropServices;
using Federated.Server.Aggregation;
using Federated.Server.Collection;
using Federated.Server.Grains;
using Federated.Server.Jobs;
using Federated.Server.Rounds;
using Federated.Shared.Models;
using Federated.Shared.Protocol;
using Federated.Shared.Protos;
using Federated.Shared.Updates.Linear;
using Federated.Shared.Updates.Plain;
using Grpc.Core;

namespace Federated.Server.Grpc;

/// <summary>
/// The edge that updates arrive at: judges what can be judged before the bytes come, receives them within the staging budget, checks
/// them, and hands them to the round's aggregator. Every refusal is an outcome that the device sees and the statistics count.
/// </summary>
internal sealed class UpdateGateway(IGrainFactory grains, RoundDirectory rounds, UpdateStaging staging, TimelineRecorder timelines)
{
    /// <summary>How many bytes of a broken upload are held.</summary>
    public Task<UploadStatusReply> UploadStatus(UploadStatusRequest request, ServerCallContext context)
    {
        _ = Demand.Device(request.DeviceId, context);
        Demand.Identifier(request.JobId, "job_id");
        UploadKey key = new(request.JobId, (long)Math.Min(request.Round, long.MaxValue), request.DeviceId, Demand.Hash(request.Sha256, "sha256"));
        return Task.FromResult(new UploadStatusReply { ReceivedBytes = (ulong)staging.ReceivedBytes(key) });
    }

    /// <summary>Takes an update, or says why not.</summary>
    public async Task<SubmitReply> Submit(IAsyncStreamReader<UploadChunk> requestStream, ServerCallContext context)
    {
        if (!await requestStream.MoveNext(context.CancellationToken) || requestStream.Current.Header is not { } header)
        {
            throw new ProtocolViolationException(ErrorCode.MalformedDocument, "A submission begins with a chunk that carries the header.");
        }

        Demand.Version(header.ProtocolVersion);
        _ = Demand.Device(header.DeviceId, context);
        Demand.Identifier(header.JobId, "job_id");
        ContentHash content = Demand.Hash(header.Sha256, "sha256");
        long round = (long)Math.Min(header.Round, long.MaxValue);
        timelines.UploadStarted(header.JobId, round, header.DeviceId, new ReportedCosts(
            header.Costs?.DownloadSeconds ?? 0, header.Costs?.ComputeSeconds ?? 0, Possible(header.Costs?.PeakMemoryBytes), header.Costs?.EncodeSeconds ?? 0));
        RoundFacts? facts = await rounds.FindAsync(header.JobId, header.Round);
        Refusal? refusal = facts is null ? await NoSuchRoundAsync(header) : await ScreenAsync(header, content, facts);
        if (facts is not null && refusal is null)
        {
            UploadKey key = new(header.JobId, facts.Start.Round, header.DeviceId, content);
            refusal = await ReceiveAndFoldAsync(key, header, facts, requestStream, context.CancellationToken);
        }

        SubmitOutcome outcome = refusal?.Outcome ?? SubmitOutcome.Accepted;
        timelines.Answered(header.JobId, round, header.DeviceId, EndOf(outcome, header.JobId, round), outcome == SubmitOutcome.Accepted ? "" : WireNames.Of(outcome));
        if (outcome is not (SubmitOutcome.Accepted or SubmitOutcome.UnknownJob))
        {
            bool selected = facts is not null && facts.Cohort.Contains(header.DeviceId);
            await grains.Of<IJobGrain>(header.JobId).NoteRefusal(round, header.DeviceId, selected, WireNames.Of(outcome));
        }

        return new SubmitReply { Outcome = outcome, Detail = refusal?.Detail ?? "" };
    }

    // An update that was accepted before is done: the first answer got lost. A group may be abandoned while its round goes on, which then says how its members ended.
    private ClientOutcome? EndOf(SubmitOutcome outcome, string jobId, long round) => outcome switch
    {
        SubmitOutcome.Accepted or SubmitOutcome.Duplicate => ClientOutcome.Done,
        SubmitOutcome.Late => ClientOutcome.Late,
        SubmitOutcome.RoundAbandoned when !timelines.IsOpen(jobId, round) => ClientOutcome.Late,
        _ => null,
    };

    private async Task<Refusal> NoSuchRoundAsync(SubmitHeader header)
    {
        JobStatus? job = await rounds.JobAsync(header.JobId);
        return job is null
            ? new Refusal(SubmitOutcome.UnknownJob, $"There is no job {header.JobId}; check in for a current assignment.")
            : header.Round >= 1 && header.Round <= (ulong)job.Round
                ? new Refusal(SubmitOutcome.Late, $"Round {header.Round} of job {header.JobId} is long over; the job has ended round {job.Round}.")
                : new Refusal(SubmitOutcome.WrongRound, $"Job {header.JobId} has no round {header.Round}; the last one is {job.Round}.");
    }

    /// <summary>What can be said before the payload is sent.</summary>
    private async Task<Refusal?> ScreenAsync(SubmitHeader header, ContentHash content, RoundFacts facts)
    {
        if (!facts.Cohort.Contains(header.DeviceId))
        {
            return Refusal.Of(SubmissionAnswer.NotSelected, header);
        }

        if (header.LengthBytes > (ulong)facts.Start.MaxUpdateBytes || header.LengthBytes > (ulong)Array.MaxLength)
        {
            return new Refusal(
                SubmitOutcome.Oversized, $"The update has {header.LengthBytes} bytes, the plan allows {facts.Start.MaxUpdateBytes}.");
        }

        if (header.LengthBytes == 0)
        {
            return new Refusal(SubmitOutcome.Malformed, "The update is empty.");
        }

        SubmissionAnswer answer = GroupOf(facts, header.DeviceId) is { } group
            ? await group.Screen(header.DeviceId)
            : await Aggregator(facts).Screen(new Submission(header.DeviceId, content.Hex));
        return answer == SubmissionAnswer.Welcome ? null : Refusal.Of(answer, header);
    }

    private async Task<Refusal?> ReceiveAndFoldAsync(
        UploadKey key, SubmitHeader header, RoundFacts facts, IAsyncStreamReader<UploadChunk> chunks, CancellationToken ct)
    {
        StagedUpdate update = await staging.OpenAsync(key, (int)header.LengthBytes, facts.SumBytes(header.DeviceId), ct);
        bool parked = false;
        try
        {
            long wireBytes;
            try
            {
                wireBytes = await ReceiveAsync(update, chunks, ct);
            }
            catch (Exception) when (update.ReceivedBytes < update.LengthBytes)
            {
                staging.Park(update);
                parked = true;
                throw;
            }

            if (wireBytes < 0)
            {
                return new Refusal(SubmitOutcome.Oversized, $"More bytes arrived than the {update.LengthBytes} that the header announced.");
            }

            if (update.ReceivedBytes < update.LengthBytes)
            {
                staging.Park(update);
                parked = true;
                throw new ProtocolViolationException(
                    ErrorCode.WrongOffset, $"The upload ended after {update.ReceivedBytes} of {update.LengthBytes} bytes; go on from there.");
            }

            if (await InspectAsync(update, header, facts, wireBytes) is { } refusal)
            {
                return refusal;
            }

            SubmissionAnswer answer = GroupOf(facts, key.DeviceId) is { } group
                ? await group.Add(key.DeviceId, update.Id)
                : await Aggregator(facts).Fold(new Submission(key.DeviceId, key.Content.Hex), update.Id);
            return answer == SubmissionAnswer.Accepted ? null : Refusal.Of(answer, header);
        }
        finally
        {
            if (!parked)
            {
                update.Dispose();
            }
        }
    }

    /// <summary>Appends chunk after chunk; gives the encoded bytes of all messages, or −1 when more came than were announced.</summary>
    private static async Task<long> ReceiveAsync(StagedUpdate update, IAsyncStreamReader<UploadChunk> chunks, CancellationToken ct)
    {
        long wireBytes = 0;
        do
        {
            using UploadChunk chunk = chunks.Current;
            wireBytes += chunk.EncodedBytes + ProtocolLimits.MessagePrefixBytes;
            if (chunk.Offset != (ulong)update.ReceivedBytes)
            {
                throw new ProtocolViolationException(
                    ErrorCode.WrongOffset, $"A chunk begins at {chunk.Offset}; the server holds {update.ReceivedBytes} bytes. Ask UploadStatus and go on from there.");
            }

            if (chunk.Data.Length > update.LengthBytes - update.ReceivedBytes)
            {
                return -1;
            }

            update.Append(chunk.Data);
        }
        while (await chunks.MoveNext(ct));
        return wireBytes;
    }

    /// <summary>Checks the complete payload and, when it is sound, describes its contribution.</summary>
    private async Task<Refusal?> InspectAsync(StagedUpdate update, SubmitHeader header, RoundFacts facts, long wireBytes)
    {
        ContentHash actual = update.FinishHash();
        if (actual != update.Key.Content)
        {
            return new Refusal(SubmitOutcome.HashMismatch, $"The payload hashes to {actual}, the header says {update.Key.Content}. Send it again.");
        }

        UpdateDocument document;
        try
        {
            document = UpdateDocument.FromBytes(update.Payload, facts.SentCount(header.DeviceId));
        }
        catch (ProtocolViolationException e)
        {
            return new Refusal(SubmitOutcome.Malformed, e.Message);
        }

        if (document.JobId != header.JobId || document.Round != facts.Start.Round)
        {
            return await WrongRoundAsync(document, header, update.Key.Content);
        }

        if (document.ModelVersion != facts.Start.ModelVersion)
        {
            return new Refusal(
                SubmitOutcome.WrongModelVersion,
                $"The update starts from model version {document.ModelVersion}, round {header.Round} from {facts.Start.ModelVersion}.");
        }

        if (facts.Start.Secure is not null)
        {
            return InspectMasked(update, header, document, wireBytes);
        }

        ReadOnlyMemory<byte> sent;
        try
        {
            sent = Decode(update, facts, document);
        }
        catch (ProtocolViolationException e)
        {
            return new Refusal(SubmitOutcome.Malformed, e.Message);
        }

        (ReadOnlyMemory<byte> summed, UpdateCheck check) = Expand(update, header, facts, sent, document.ExampleCount);
        if (!check.Finite || !double.IsFinite(document.MeanLoss))
        {
            return new Refusal(SubmitOutcome.NotFinite, "The update or its loss holds NaN or an infinity. Lower the learning rate.");
        }

        if (!check.InRange)
        {
            return new Refusal(
                SubmitOutcome.OutOfRange,
                $"Weight {document.ExampleCount} times the largest value {check.MaxMagnitude} is beyond {RunningSum.MaxProduct}. Lower the learning rate.");
        }

        update.Complete(ContributionOf(update, header, document, wireBytes), summed, check.MaxMagnitude);
        return null;
    }

    /// <summary>Of a masked input nothing can be seen but its form, which its group knows.</summary>
    private static Refusal? InspectMasked(StagedUpdate update, SubmitHeader header, UpdateDocument document, long wireBytes)
    {
        if (document.Encoding != UpdateEncoding.MaskedFields)
        {
            return new Refusal(SubmitOutcome.Malformed, $"The update is written as {document.Encoding}, the plan wants {UpdateEncoding.MaskedFields}.");
        }

        try
        {
            // Its group parses it once more; here it is only made sure that it can.
            _ = GroupClientMessage.Parser.ParseFrom(document.Body.Span);
        }
        catch (Google.Protobuf.InvalidProtocolBufferException)
        {
            return new Refusal(SubmitOutcome.Malformed, "The update holds no message of a group.");
        }

        update.Complete(ContributionOf(update, header, document, wireBytes), document.Body, 0);
        return null;
    }

    /// <summary>What the device sent: 4·n bytes for n parameters, as they came or decoded.</summary>
    /// <exception cref="ProtocolViolationException">The update is not written as the plan wants it.</exception>
    private static ReadOnlyMemory<byte> Decode(StagedUpdate update, RoundFacts facts, UpdateDocument document)
    {
        UpdateEncoding wanted = facts.Linear is not null ? UpdateEncoding.LinearFields
            : facts.Codec is null ? UpdateEncoding.DenseFloat32 : UpdateEncoding.EncodedVector;
        if (document.Encoding != wanted)
        {
            throw new ProtocolViolationException(
                ErrorCode.MalformedDocument, $"The update is written as {document.Encoding}, the plan wants {wanted}.");
        }

        if (facts.Linear is { } linear)
        {
            Memory<byte> fields = update.SumMemory();
            string? problem = LinearSettings.Unpack(
                linear, LinearPayload.FromBytes(document.Body, linear).Span, MemoryMarshal.Cast<byte, float>(fields.Span));
            return problem is null ? fields : throw new ProtocolViolationException(ErrorCode.MalformedDocument, $"The update is refused: {problem}.");
        }

        if (facts.Codec is not { } codec)
        {
            return document.Body;
        }

        // What a LoRA rule makes of the update lies in front.
        Memory<byte> memory = update.SumMemory()[facts.ExpandedBytes..];
        PlainDecoder.Decode(document.Body, codec, MemoryMarshal.Cast<byte, float>(memory.Span));
        return memory;
    }

    /// <summary>What of the update is summed, and whether it can be.</summary>
    private static (ReadOnlyMemory<byte> Summed, UpdateCheck Check) Expand(
        StagedUpdate update, SubmitHeader header, RoundFacts facts, ReadOnlyMemory<byte> sent, int examples)
    {
        ReadOnlySpan<float> values = MemoryMarshal.Cast<byte, float>(sent.Span);
        UpdateCheck check = RunningSum.Check(values, examples);
        if (facts.ExpandedBytes == 0 || !check.Finite)
        {
            return (sent, check);
        }

        Memory<byte> memory = update.SumMemory()[..facts.ExpandedBytes];
        Span<float> summed = MemoryMarshal.Cast<byte, float>(memory.Span);
        facts.Lora!.Expand(header.DeviceId, values, examples, summed);
        return (memory, RunningSum.Check(summed, examples));
    }

    /// <summary>Bytes of another round: a replay when they were accepted there.</summary>
    private async Task<Refusal> WrongRoundAsync(UpdateDocument document, SubmitHeader header, ContentHash content)
    {
        string detail = $"The payload belongs to round {document.Round} of job {document.JobId}, the header names round {header.Round} of job {header.JobId}.";
        bool replayed = document.JobId == header.JobId && (ulong)document.Round < header.Round
            && await grains.Of<IAggregatorGrain>(GrainKeys.Aggregator(document.JobId, document.Round))
                .Holds(new Submission(header.DeviceId, content.Hex));
        return new Refusal(replayed ? SubmitOutcome.Replayed : SubmitOutcome.WrongRound, detail);
    }

    private static Contribution ContributionOf(StagedUpdate update, SubmitHeader header, UpdateDocument document, long wireBytes) => new()
    {
        DeviceId = update.Key.DeviceId,
        Content = update.Key.Content,
        ExampleCount = document.ExampleCount,
        MeanLoss = document.MeanLoss,
        BytesUp = wireBytes + Possible(header.Costs?.BytesUp),
        BytesDown = Possible(header.Costs?.BytesDown),
        DownloadSeconds = header.Costs?.DownloadSeconds ?? 0,
        ComputeSeconds = header.Costs?.ComputeSeconds ?? 0,
        PeakMemoryBytes = Possible(header.Costs?.PeakMemoryBytes),
    };

    // Whatever a device claims, adding to it cannot overflow.
    private static long Possible(ulong? claimedBytes) => (long)Math.Min(claimedBytes ?? 0, Contribution.MaxBytes);

    private IGroupGrain? GroupOf(RoundFacts facts, string deviceId) => facts.Groups?.GetValueOrDefault(deviceId, -1) is >= 0 and int group
        ? grains.Of<IGroupGrain>(GrainKeys.Group(facts.Start.JobId, facts.Start.Round, group))
        : null;

    private IAggregatorGrain Aggregator(RoundFacts facts) =>
        grains.Of<IAggregatorGrain>(GrainKeys.Aggregator(facts.Start.JobId, facts.Start.Round));

    private sealed record Refusal(SubmitOutcome Outcome, string Detail)
    {
        public static Refusal Of(SubmissionAnswer answer, SubmitHeader header) => answer switch
        {
            SubmissionAnswer.Duplicate => new Refusal(SubmitOutcome.Duplicate, "This update is already part of the sum."),
            SubmissionAnswer.Conflict => new Refusal(SubmitOutcome.Conflict, $"Device {header.DeviceId} has already contributed to round {header.Round}."),
            SubmissionAnswer.NotSelected => new Refusal(SubmitOutcome.NotSelected, $"Device {header.DeviceId} was not selected for round {header.Round}."),
            SubmissionAnswer.Abandoned => new Refusal(SubmitOutcome.RoundAbandoned, $"Round {header.Round} was abandoned."),
            SubmissionAnswer.Malformed => new Refusal(SubmitOutcome.Malformed, "The masked input is not one of its group's session and shape."),
            SubmissionAnswer.OutOfRange => new Refusal(SubmitOutcome.OutOfRange, $"The sum of round {header.Round} cannot hold more of this magnitude."),
            _ => new Refusal(SubmitOutcome.Late, $"Round {header.Round} closed before the update arrived."),
        };
    }
}
