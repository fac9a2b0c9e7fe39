using Federated.Shared.SecureAggregation;

namespace Federated.Server.SecureAggregation;

/// <summary>
/// What the server keeps of a group from R3 on: who is in it, and the sum of the masked inputs. Nothing of it is secret: masked fields are
/// uniform, and shares are never part of it. The sum is borrowed by every state after <see cref="CollectingInputsState"/>.
/// </summary>
/// <param name="Roll">The members.</param>
/// <param name="Sharing">U2: those who shared their secrets.</param>
/// <param name="Commitments">Seed commitment of member u at [u − 1]; null outside U2.</param>
/// <param name="Sum">Sum of the masked inputs.</param>
/// <param name="Survivors">U3: those whose input is in the sum.</param>
internal sealed record MaskedGroup(GroupRoll Roll, MemberSet Sharing, IReadOnlyList<byte[]?> Commitments, FieldVector Sum, MemberSet Survivors)
{
    /// <summary>U2 without U3: those whose masks have to be taken off the sum.</summary>
    public MemberSet Dropped => Sharing.Except(Survivors);

    /// <summary>A group without inputs.</summary>
    public static MaskedGroup Start(GroupRoll roll, MemberSet sharing, IReadOnlyList<byte[]?> commitments) => new(
        roll, sharing, commitments, new FieldVector(roll.Header.FieldCount, roll.Header.WidthBits), MemberSet.Of([], roll.Members.Length));
}
