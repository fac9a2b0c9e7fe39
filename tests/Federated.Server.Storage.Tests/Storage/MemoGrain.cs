using System.Collections.Immutable;
using Federated.Shared.Models;

namespace Federated.Server.Storage.Tests.Storage;

public enum MemoKind
{
    Draft,
    Final,
}

/// <summary>Grain state with what real states are made of.</summary>
[GenerateSerializer]
[Alias("memo")]
public sealed record Memo
{
    [Id(0)]
    public string Title { get; init; } = "untitled";

    [Id(1)]
    public MemoKind Kind { get; init; }

    [Id(2)]
    public ImmutableArray<long> Rounds { get; init; } = [];

    [Id(3)]
    public ImmutableDictionary<string, int> Dropped { get; init; } = ImmutableDictionary<string, int>.Empty;

    [Id(4)]
    public double? Loss { get; init; }

    [Id(5)]
    public DateTimeOffset WrittenAt { get; init; }

    [Id(6)]
    public byte[] Bytes { get; init; } = [];
}

/// <summary>State that stays on the server: hashes as values and keys.</summary>
public sealed record HashMemo(ContentHash Adapter, Dictionary<ContentHash, int> Counts);

[Alias("memo-grain")]
public interface IMemoGrain : IGrainWithStringKey
{
    [Alias("get")]
    Task<(Memo Memo, bool Exists, string Activation)> Get();

    [Alias("set")]
    Task Set(Memo memo);

    [Alias("clear")]
    Task Clear();
}

public sealed class MemoGrain([PersistentState("memo", StorageRegistration.GrainStorageName)] IPersistentState<Memo> state) : Grain, IMemoGrain
{
    private readonly string _activation = Guid.NewGuid().ToString();

    public Task<(Memo Memo, bool Exists, string Activation)> Get() => Task.FromResult((state.State, state.RecordExists, _activation));

    public Task Set(Memo memo)
    {
        state.State = memo;
        return state.WriteStateAsync();
    }

    public Task Clear() => state.ClearStateAsync();
}
