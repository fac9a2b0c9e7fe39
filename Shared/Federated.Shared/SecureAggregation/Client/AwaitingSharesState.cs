using System.Security.Cryptography;
using Federated.Shared.Protos;
using Google.Protobuf;

namespace Federated.Shared.SecureAggregation.Client;

/// <summary>R3: opens the neighbours' shares, which names U2, and sends the input under one mask a neighbour and one of its own.</summary>
internal sealed class AwaitingSharesState(JoinedGroup group, ClientSecrets secrets) : ClientState
{
    /// <inheritdoc/>
    public override ClientStep Step => ClientStep.AwaitingShares;

    /// <inheritdoc/>
    public override ClientTransition Receive(GroupServerMessage message)
    {
        IncomingShares incoming = Require(message, message.Shares, group.Id);
        foreach (SealedShares shares in incoming.Shares)
        {
            Open(shares);
        }

        int holders = secrets.Senders.Count + 1;
        if (holders < group.Topology.Threshold)
        {
            throw new GroupAbortException(
                GroupRefusalReason.Threshold, $"{holders} members hold shares, the threshold is {group.Topology.Threshold}.");
        }

        MaskInput();
        secrets.ForgetMasks();
        byte[] packed = new byte[group.Input.Fields.PackedBytes];
        group.Input.Fields.Pack(packed);
        group.Input.Fields.Clear();
        return new ClientTransition(
            new AwaitingSurvivorsState(group, secrets),
            new GroupClientMessage
            {
                SessionId = ByteString.CopyFrom(group.Id.Bytes),
                Input = new MaskedInput { Fields = UnsafeByteOperations.UnsafeWrap(packed) },
            });
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        secrets.Dispose();
        group.Input.Fields.Clear();
    }

    private void Open(SealedShares shares)
    {
        // Keys exist for neighbours alone, so strangers and the client itself do not open.
        int from = shares.Member <= (uint)group.Members.Length ? (int)shares.Member : 0;
        if (secrets.Holds(from))
        {
            throw Refuse($"member {from} sent shares twice");
        }

        if (!secrets.TryOpen(group.Id, from, group.Own, shares.Ciphertext.Span))
        {
            throw Refuse($"what is said to be from member {shares.Member} does not open as shares of it for this client in this session");
        }
    }

    private void MaskInput()
    {
        List<MaskKey> masks = new(secrets.Senders.Count + 1);
        byte[] self = new byte[KeySchedule.KeyBytes];
        KeySchedule.SelfMask(secrets.Seed, group.Id, group.Own, self);
        masks.Add(new MaskKey(self, Subtract: false));
        Span<byte> agreed = stackalloc byte[AgreementKeyPair.SecretBytes];
        foreach (int neighbour in secrets.Senders)
        {
            byte[] key = new byte[KeySchedule.KeyBytes];
            secrets.MaskKey.Agree(group.Neighbours[neighbour].Mask, agreed);
            KeySchedule.PairMask(agreed, group.Id, group.Own, neighbour, group.Input.TrainedModel, key);

            // The lower number adds, the higher subtracts: in the sum of both the mask is gone.
            masks.Add(new MaskKey(key, Subtract: neighbour < group.Own));
        }

        MaskLayer.Apply(group.Input.Fields, masks, threads: 1);
        CryptographicOperations.ZeroMemory(agreed);
        foreach (MaskKey mask in masks)
        {
            CryptographicOperations.ZeroMemory(mask.Key);
        }
    }

    private static GroupAbortException Refuse(string why) => new(GroupRefusalReason.Share, $"The shares are refused: {why}.");
}
