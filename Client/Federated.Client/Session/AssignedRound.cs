using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Federated.Client.Engines;
using Federated.Client.Transport;
using Federated.Shared.Models;
using Federated.Shared.Protocol;
using Federated.Shared.Protos;
using Federated.Shared.Randomness;
using Federated.Shared.Updates.Indices;
using Federated.Shared.Updates.Linear;
using Federated.Training;
using Google.Protobuf;

namespace Federated.Client.Session;

/// <summary>
/// One round from its plan to the server's answer: package, adapter, training, update. Gives up by exception; what is told to the
/// server then is the session's part. Used once, by one caller.
/// </summary>
internal sealed class AssignedRound(
    ClientIdentity identity,
    PlanDocument plan,
    ModelCache models,
    IExampleSource examples,
    DeviceMemory memory,
    GroupMembership? enrollment,
    IRoundPacing? pacing,
    TransferScope scope,
    TimeProvider time,
    ISessionObserver observer,
    SessionOptions options)
{
    private readonly ClientCosts _costs = new();
    private CompressedUpdate? _compressed;
    private LinearUpdate? _linear;
    private SharedIndexSet? _told;
    private RoundTensors? _tensors;
    private float[]? _kept;
    private float[]? _shared;
    private float[]? _personal;
    private uint[] _fields = [];

    /// <summary>What training gave, once it has.</summary>
    public LocalTrainingResult? Training { get; private set; }

    /// <summary>Runs the round to the server's answer.</summary>
    /// <exception cref="RoundAbortException">The device must give up.</exception>
    /// <exception cref="SimulatedLossException">The observer made the device vanish.</exception>
    /// <exception cref="OperationCanceledException">Cancelled: a person stops the process or the round's time is up.</exception>
    public async Task<SubmitReply> RunAsync(CancellationToken cancellationToken)
    {
        if (examples.Count == 0)
        {
            throw new RoundAbortException(AbortReason.NoData, "The device holds no examples.");
        }

        DemandMaskable();
        using IDisposable? paced = pacing?.Begin();
        await PassAsync(cancellationToken).ConfigureAwait(false);
        using RoundBuffer buffer = RoundBuffer.Rent(plan, options.Buffers);
        await observer.AssignedAsync(identity, plan, cancellationToken).ConfigureAwait(false);
        CachedModel model = await DownloadAsync(buffer, cancellationToken).ConfigureAwait(false);
        (ReadOnlyMemory<byte> payload, ByteString sha256) = await TrainAsync(model, buffer, cancellationToken).ConfigureAwait(false);
        await observer.TrainedAsync(identity, plan, cancellationToken).ConfigureAwait(false);
        await PassAsync(cancellationToken).ConfigureAwait(false);

        SubmitReply reply = plan.Group is null
            ? await SubmitAsync(payload, sha256, cancellationToken).ConfigureAwait(false)
            : await MaskAsync(cancellationToken).ConfigureAwait(false);
        _compressed?.Answered(reply.Outcome, memory.Residuals);
        _linear?.Answered(reply.Outcome, memory.Residuals);
        bool counts = reply.Outcome is SubmitOutcome.Accepted or SubmitOutcome.Duplicate;
        if (_kept is not null && counts)
        {
            // Only with what was counted: the kept tensors and the sent ones were trained for each other. The round counts even when the
            // device cannot keep them; it goes on with the older ones then.
            _ = memory.Kept.TryWrite(plan.JobId, plan.Round, _kept);
        }

        if (_personal is not null && counts)
        {
            await options.Personal!.KeepAsync(plan, _shared!, _personal, models, scope, cancellationToken).ConfigureAwait(false);
        }

        return reply;
    }

    private ValueTask PassAsync(CancellationToken cancellationToken) => pacing is null ? ValueTask.CompletedTask : pacing.PassAsync(cancellationToken);

    private async Task<SubmitReply> SubmitAsync(ReadOnlyMemory<byte> payload, ByteString sha256, CancellationToken cancellationToken)
    {
        _costs.PeakMemoryBytes = (ulong)ProcessMemory.PeakBytes();
        _costs.BytesDown = (ulong)scope.Counter.Down;
        _costs.BytesUp = (ulong)scope.Counter.Up;
        SubmitHeader header = new()
        {
            ProtocolVersion = ProtocolLimits.Version,
            DeviceId = identity.DeviceId,
            JobId = plan.JobId,
            Round = (ulong)plan.Round,
            Sha256 = sha256,
            LengthBytes = (ulong)payload.Length,
            Costs = _costs,
        };
        return await Transferring(ResumableUpload.RunAsync(header, payload, scope, cancellationToken)).ConfigureAwait(false);
    }

    private async Task<SubmitReply> MaskAsync(CancellationToken cancellationToken)
    {
        // How long training took tells how many examples there are.
        _costs.ComputeSeconds = 0;
        using MaskedSubmission submission = new(identity, plan, enrollment!, memory.Masked, scope, observer);
        return await Transferring(submission.RunAsync(
            _fields,
            (message, ct) =>
            {
                (ReadOnlyMemory<byte> payload, ByteString sha256) = Sealed(RoundBuffer.WriteUpdate(plan, 1, 0, 0, message.ToByteArray()));
                return SubmitAsync(payload, sha256, ct);
            },
            cancellationToken)).ConfigureAwait(false);
    }

    private void DemandMaskable()
    {
        if (plan.Group is null)
        {
            DemandUnmaskable();
            return;
        }

        if (enrollment is null)
        {
            throw new RoundAbortException(
                AbortReason.Policy, "The round is under secure aggregation and this device has no keys for it. Enroll it.");
        }

        if (!memory.Masked.Allows(plan))
        {
            throw new RoundAbortException(AbortReason.Policy, memory.Masked.Refusal(plan)) { ReachedRound = memory.Masked.Reached(plan.JobId) };
        }
    }

    // The update of a masked round is the same bit for bit without the mask: a server that asked for it again in clear would have it.
    private void DemandUnmaskable()
    {
        if (options.MaskedOnly)
        {
            throw new RoundAbortException(AbortReason.Policy, "The round is not under secure aggregation, and this device takes part in no other.");
        }

        if (memory.Masked.Knows(plan.JobId))
        {
            throw new RoundAbortException(
                AbortReason.Policy, $"This device has sent masked inputs to '{plan.JobId}' and sends that job nothing else.{memory.Masked.WayOut(plan.JobId)}");
        }
    }

    private async Task<CachedModel> DownloadAsync(RoundBuffer buffer, CancellationToken cancellationToken)
    {
        long began = time.GetTimestamp();
        ModelUse use = plan.Directions is null ? ModelUse.Gradients : ModelUse.Losses;
        CachedModel model = await Transferring(models.GetAsync(plan.Package, use, scope, cancellationToken)).ConfigureAwait(false);
        CheckFits(model);
        await Transferring(new AdapterDownload(plan, models, memory.Held, scope).ReceiveAsync(buffer, cancellationToken)).ConfigureAwait(false);
        _tensors?.Prepare(buffer.Values, plan.JobId, memory.Kept);
        _told = await Transferring(FetchSetAsync(cancellationToken)).ConfigureAwait(false);
        _costs.DownloadSeconds = time.GetElapsedTime(began).TotalSeconds;
        return model;
    }

    private void CheckFits(CachedModel model)
    {
        PackageManifest manifest = model.Manifest;
        if (manifest.Layout.Length != plan.ParameterCount)
        {
            throw new RoundAbortException(
                AbortReason.UnsupportedPlan,
                $"The plan states {plan.ParameterCount} parameters, package '{manifest.Name}' has {manifest.Layout.Length}.");
        }

        _tensors = RoundTensors.Of(manifest, plan);
        if (model.Workspaces is not null && examples.Format != ExampleFormat.Of(manifest))
        {
            throw new RoundAbortException(
                AbortReason.NoData, $"The device's examples have {examples.Format}, package '{manifest.Name}' takes {ExampleFormat.Of(manifest)}.");
        }
    }

    /// <summary>The round's index set where the server tells it; null where it is random.</summary>
    private async Task<SharedIndexSet?> FetchSetAsync(CancellationToken cancellationToken)
    {
        if (plan.Linear is not { } linear || linear.IndexSet == IndexSetKind.Random)
        {
            return null;
        }

        ObjectReference document = linear.Set
            ?? throw new RoundAbortException(AbortReason.UnsupportedPlan, $"The plan asks for a {linear.IndexSet} index set and does not tell it.");
        SharedIndexSet set = IndexSetDocument.FromBytes(
            await ModelCache.FetchDocumentAsync(document, "index set", scope, cancellationToken).ConfigureAwait(false), linear.ParameterCount, linear.SetSize);
        return set.Kind == linear.IndexSet
            ? set
            : throw new RoundAbortException(AbortReason.UnsupportedPlan, $"The plan asks for a {linear.IndexSet} index set, the one told is {set.Kind}.");
    }

    private async Task<(ReadOnlyMemory<byte> Payload, ByteString Sha256)> TrainAsync(
        CachedModel model, RoundBuffer buffer, CancellationToken cancellationToken)
    {
        if (model.Workspaces is not { } pool)
        {
            Training = new LocalTrainingResult(0, examples.Count, 0);
            return await Task.Run(
                () =>
                {
                    buffer.Values.Clear();
                    return PackAndSeal(buffer, Training);
                },
                cancellationToken).ConfigureAwait(false);
        }

        try
        {
            using WorkspaceLease lease = await pool.RentAsync(cancellationToken).ConfigureAwait(false);
            long began = time.GetTimestamp();

            // Training would hold up whatever thread completed the download, which may be the server's in a simulation.
            _shared = options.Personal is null ? null : buffer.Values.ToArray();
            (ReadOnlyMemory<byte>, ByteString) update = await Task.Run(
                () => TrainInto(buffer, pacing?.Pace(lease.Workspace, cancellationToken) ?? lease.Workspace, cancellationToken), cancellationToken).ConfigureAwait(false);
            _personal = options.Personal is null ? null : lease.Workspace.Adapter.ToArray();
            _costs.ComputeSeconds = Math.Max(0, time.GetElapsedTime(began).TotalSeconds - _costs.EncodeSeconds);
            return update;
        }
        catch (Exception e) when (e is not (OperationCanceledException or RoundAbortException or OutOfMemoryException))
        {
            // Engines throw exceptions of their own; whichever it is, this device cannot train this plan. Its words may quote an example.
            throw RoundAbortException.OfTraining(e);
        }
    }

    private (ReadOnlyMemory<byte> Payload, ByteString Sha256) TrainInto(
        RoundBuffer buffer, IModelWorkspace workspace, CancellationToken cancellationToken)
    {
        SeededGenerator shuffle = SeededGenerator.For(plan.Seed, "shuffle", (ulong)plan.Round, identity.DeviceId);
        if (plan.Directions is not null)
        {
            float[] amounts = TrainAlongDirections(buffer, workspace, shuffle, cancellationToken);
            return Seal(buffer, Training!, amounts);
        }

        LocalTrainingResult result = LocalTrainer.Train(
            workspace, examples, buffer.Values, plan.Training, shuffle, cancellationToken, _tensors is null ? [] : _tensors.Trained.AsSpan());
        if (result.Diverged || !buffer.Subtract(workspace.Adapter))
        {
            throw Diverged(result);
        }

        Training = result;
        _kept = _tensors?.TakeKept(workspace.Adapter);
        return PackAndSeal(buffer, result);
    }

    private float[] TrainAlongDirections(RoundBuffer buffer, IModelWorkspace workspace, SeededGenerator shuffle, CancellationToken cancellationToken)
    {
        DirectionPlan directions = plan.Directions!;
        ReadOnlySpan<TrainedRange> trained = _tensors is null ? [] : _tensors.Trained.AsSpan();
        if (_tensors is not null && TrainedRange.Total(trained) != plan.ChangedCount)
        {
            throw new RoundAbortException(
                AbortReason.UnsupportedPlan,
                $"Directions are of {plan.ChangedCount} parameters, the plan has {TrainedRange.Total(trained)} trained: what is trained must be what is sent.");
        }

        float[] amounts = new float[directions.Count];
        LocalTrainingResult result = ZerothOrderTrainer.Train(
            workspace, examples, buffer.Values, plan.Training, directions.Of(plan.ChangedCount), directions.Distance, shuffle, amounts, trained, cancellationToken);
        if (result.Diverged || !float.IsFinite(TensorPrimitives.SumOfMagnitudes<float>(amounts)))
        {
            throw Diverged(result);
        }

        Training = result;
        return amounts;
    }

    // Steps and loss of one device are what masks hide.
    private RoundAbortException Diverged(LocalTrainingResult result) => new(
        AbortReason.TrainingFailed,
        plan.Group is null
            ? $"Training diverged: mean loss {result.MeanLoss} over {result.Steps} steps. Lower the learning rate."
            : "Training diverged. Lower the learning rate.");

    private (ReadOnlyMemory<byte> Payload, ByteString Sha256) PackAndSeal(RoundBuffer buffer, LocalTrainingResult result)
    {
        if (_tensors is not null)
        {
            buffer.Pack(_tensors.Sent);
        }

        return Seal(buffer, result, buffer.Sent);
    }

    /// <summary>Writes the update.</summary>
    /// <param name="buffer">Holds the delta.</param>
    /// <param name="result">What training gave.</param>
    /// <param name="sent">[<see cref="PlanDocument.SentCount"/>]: what is sent of the delta, or the amounts of the directions.</param>
    private (ReadOnlyMemory<byte> Payload, ByteString Sha256) Seal(RoundBuffer buffer, LocalTrainingResult result, ReadOnlySpan<float> sent)
    {
        long began = time.GetTimestamp();
        (ReadOnlyMemory<byte>, ByteString) update = Encode(buffer, result, sent);
        _costs.EncodeSeconds = time.GetElapsedTime(began).TotalSeconds;
        return update;
    }

    private (ReadOnlyMemory<byte> Payload, ByteString Sha256) Encode(RoundBuffer buffer, LocalTrainingResult result, ReadOnlySpan<float> sent)
    {
        if (plan.Linear is { } linear)
        {
            _linear = LinearUpdate.Encode(plan, _told, identity.DeviceId, sent, result, memory.Residuals);
            if (plan.Group is not null)
            {
                _fields = _linear.Fields.ToArray();
                return default;
            }

            return Sealed(RoundBuffer.WriteUpdate(plan, 1, 0, 0, LinearPayload.ToBytes(linear, _linear.Pack())));
        }

        if (plan.Codec is not null)
        {
            _compressed = CompressedUpdate.Encode(plan, identity.DeviceId, sent, memory.Residuals);
        }

        byte[]? body = _compressed?.Body ?? (plan.Directions is null ? null : MemoryMarshal.AsBytes(sent).ToArray());
        return Sealed(body is { } encoded
            ? RoundBuffer.WriteUpdate(plan, result.Examples, result.Steps, result.MeanLoss, encoded)
            : buffer.WriteUpdate(plan, result.Examples, result.Steps, result.MeanLoss));
    }

    private (ReadOnlyMemory<byte> Payload, ByteString Sha256) Sealed(ReadOnlyMemory<byte> payload)
    {
        return payload.Length <= plan.MaxUpdateBytes
            ? (payload, UnsafeByteOperations.UnsafeWrap(SHA256.HashData(payload.Span)))
            : throw new RoundAbortException(
                AbortReason.UnsupportedPlan, $"The update has {payload.Length} bytes, the plan allows {plan.MaxUpdateBytes}.");
    }

    private static async Task<T> Transferring<T>(Task<T> transfer)
    {
        await Transferring((Task)transfer).ConfigureAwait(false);
        return await transfer.ConfigureAwait(false);
    }

    /// <summary>Gives what goes wrong on the way, or with what arrives, the reason that the server is told.</summary>
    private static async Task Transferring(Task transfer)
    {
        try
        {
            await transfer.ConfigureAwait(false);
        }
        catch (ProtocolViolationException e) when (e.Code == ErrorCode.UnsupportedVersion)
        {
            throw new RoundAbortException(AbortReason.UnsupportedPlan, FailureText.Of(e), e);
        }
        catch (Exception e) when (e is ProtocolViolationException or ServerLinkException or IOException or UnauthorizedAccessException)
        {
            throw new RoundAbortException(AbortReason.TransferFailed, FailureText.Of(e), e);
        }
        catch (Exception e) when (e is InvalidDataException or ArgumentException)
        {
            throw new RoundAbortException(AbortReason.UnsupportedPlan, e.Message, e);
        }
    }
}
