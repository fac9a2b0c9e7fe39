using Federated.Client.Transport;
using Federated.Shared.Models;
using Federated.Shared.Protocol;
using Federated.Shared.Protos;
using Federated.Shared.Updates.Downlink;
using Federated.Shared.Updates.Indices;

namespace Federated.Client.Session;

/// <summary>
/// Gets a round's adapter in the way that costs the device least: the changes since the version it holds, all of it rounded to 8 bits, or all of it exactly. Used once.
/// </summary>
internal sealed class AdapterDownload(PlanDocument plan, ModelCache models, IHeldAdapters held, TransferScope scope)
{
    /// <summary>Fills the buffer's values.</summary>
    /// <exception cref="ProtocolViolationException">What the server sends is not the adapter.</exception>
    /// <exception cref="ServerLinkException">The server refuses.</exception>
    /// <exception cref="RoundAbortException">The adapter is of another version or size.</exception>
    public async Task ReceiveAsync(RoundBuffer buffer, CancellationToken cancellationToken)
    {
        if (plan.Offers is not { } offers)
        {
            await ReceiveWholeAsync(buffer, cancellationToken).ConfigureAwait(false);
            return;
        }

        bool isExact = await ReceiveOfferAsync(offers, buffer, cancellationToken).ConfigureAwait(false);

        // Without it the next download is a longer one.
        _ = held.TryWrite(plan.JobId, new HeldAdapter(plan.ModelVersion, isExact, buffer.Values.ToArray(), offers.Changes.LastOrDefault()?.Document.Hash));
    }

    private async Task<bool> ReceiveOfferAsync(AdapterOffers offers, RoundBuffer buffer, CancellationToken cancellationToken)
    {
        HeldAdapter? start = held.Read(plan.JobId, plan.ParameterCount);
        AdapterCosts costs = AdapterCosts.Of(plan, start);
        try
        {
            if (costs.TakesChanges)
            {
                await ApplyAsync(start!, offers, buffer, cancellationToken).ConfigureAwait(false);
                DemandPlanned(start!.IsExact, buffer);
                return start.IsExact;
            }

            if (costs.TakesRounded)
            {
                DownlinkDocument document = await FetchAsync(offers.Rounded!.Value, cancellationToken).ConfigureAwait(false);
                DemandWhole(document);
                document.Apply(buffer.Values, plan.ModelVersion);
                return false;
            }
        }
        catch (Exception e) when (e is ProtocolViolationException or ServerLinkException { Retriable: false })
        {
            // What the device held was not what it thought, or the offer is no good: the whole adapter always is.
        }

        await ReceiveWholeAsync(buffer, cancellationToken).ConfigureAwait(false);
        return true;
    }

    private async Task ApplyAsync(HeldAdapter start, AdapterOffers offers, RoundBuffer buffer, CancellationToken cancellationToken)
    {
        start.Values.Span.CopyTo(buffer.Values);
        long version = start.Version;
        foreach (AdapterChange change in offers.Since(start.Version, plan.ModelVersion))
        {
            DownlinkDocument document = await FetchAsync(change.Document, cancellationToken).ConfigureAwait(false);
            IndexSet? set = change.Seed is { } seed ? SharedIndexSet.Random(seed, plan.ParameterCount, change.SetSize).Indices : null;
            DemandSet(document, set);
            document.Apply(buffer.Values, version, set);
            version = document.ModelVersion;
        }

        if (version != plan.ModelVersion)
        {
            throw new ProtocolViolationException(ErrorCode.Conflict, $"The changes lead to model version {version}, the plan starts from {plan.ModelVersion}.");
        }
    }

    private void DemandWhole(DownlinkDocument document)
    {
        if (document.BaseVersion != DownlinkDocument.NoBase || document.ModelVersion != plan.ModelVersion)
        {
            throw new ProtocolViolationException(
                ErrorCode.Conflict, $"The rounded adapter is {document.Form} of model version {document.ModelVersion}, the plan starts from {plan.ModelVersion}.");
        }
    }

    private static void DemandSet(DownlinkDocument document, IndexSet? set)
    {
        if (document.Form == DownlinkForm.SameSet && document.Vector.Count != set?.Count)
        {
            throw new ProtocolViolationException(
                ErrorCode.MalformedDocument, $"The change has {document.Vector.Count} values, its set {set?.Count ?? 0} parameters.");
        }
    }

    /// <summary>Under secure aggregation all members must start from one adapter: a server that gave each its own could tell their updates apart.</summary>
    private void DemandPlanned(bool isExact, RoundBuffer buffer)
    {
        if (isExact && ContentHash.Of(AdapterDocument.ToBytes(plan.ModelVersion, buffer.Values)) != plan.Adapter)
        {
            throw new ProtocolViolationException(ErrorCode.Conflict, "The changes do not lead to the plan's adapter.");
        }
    }

    private async Task<DownlinkDocument> FetchAsync(ObjectReference reference, CancellationToken cancellationToken) => DownlinkDocument.FromBytes(
        await ModelCache.FetchDocumentAsync(reference, "change of the adapter", scope, cancellationToken).ConfigureAwait(false), plan.ParameterCount);

    private async Task ReceiveWholeAsync(RoundBuffer buffer, CancellationToken cancellationToken)
    {
        await models.FetchAdapterAsync(plan.Adapter, buffer.AdapterDocument, scope, cancellationToken).ConfigureAwait(false);
        long version;
        try
        {
            version = AdapterDocument.FromBytes(buffer.AdapterDocument, plan.ParameterCount).ModelVersion;
        }
        catch (ProtocolViolationException e)
        {
            throw new RoundAbortException(AbortReason.UnsupportedPlan, e.Message, e);
        }

        if (version != plan.ModelVersion)
        {
            throw new RoundAbortException(
                AbortReason.UnsupportedPlan, $"The plan starts from model version {plan.ModelVersion}, its adapter is version {version}.");
        }
    }
}
