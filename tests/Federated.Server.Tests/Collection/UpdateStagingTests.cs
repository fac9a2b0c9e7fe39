using Federated.Server.Collection;
using Federated.Shared.Models;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace Federated.Server.Tests.Collection;

public sealed class UpdateStagingTests
{
    private static readonly TimeSpan _soon = TimeSpan.FromSeconds(10);

    private readonly FakeTimeProvider _time = new();
    private readonly StagingOptions _options = new() { BudgetBytes = 100, HardBudgetBytes = 100 };
    private readonly UpdateStaging _staging;

    public UpdateStagingTests() => _staging = new UpdateStaging(Options.Create(_options), _time);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Park_NobodyComesBack_MakesRoomForWhoeverWaits()
    {
        _staging.Park(await OpenAsync(Key("pi-1", 1), 80));
        Task<StagedUpdate> waiting = OpenAsync(Key("pi-2", 1), 80);

        _time.Advance(_options.KeepBroken / 2);
        Assert.False(waiting.IsCompleted);
        _time.Advance(_options.KeepBroken / 2);

        using StagedUpdate admitted = await waiting.WaitAsync(_soon, Ct);
    }

    [Fact]
    public async Task Park_BrokenAgainAfterItWentOn_IsKeptForTheWholeTimeAgain()
    {
        UploadKey key = Key("pi-1", 1);
        StagedUpdate update = await OpenAsync(key, 80);
        update.Append(new byte[5]);
        _staging.Park(update);
        _time.Advance(_options.KeepBroken / 2);
        Assert.Same(update, await OpenAsync(key, 80));
        _staging.Park(update);

        _time.Advance(_options.KeepBroken * 0.75);
        Assert.Equal(5, _staging.ReceivedBytes(key));

        _time.Advance(_options.KeepBroken * 0.25);
        Assert.Equal(0, _staging.ReceivedBytes(key));
    }

    [Fact]
    public async Task Park_OtherContentOfTheDeviceIsHeld_KeepsTheLastAlone()
    {
        StagedUpdate first = await OpenAsync(Key("pi-1", 1), 50);
        StagedUpdate second = await OpenAsync(Key("pi-1", 2), 50);
        first.Append(new byte[5]);
        second.Append(new byte[6]);
        _staging.Park(first);
        _staging.Park(second);

        Assert.Equal(0, _staging.ReceivedBytes(first.Key));
        Assert.Equal(6, _staging.ReceivedBytes(second.Key));
        using StagedUpdate admitted = await OpenAsync(Key("pi-2", 1), 50).WaitAsync(_soon, Ct);
    }

    [Fact]
    public async Task Open_OtherContentThanTheBrokenUpload_GivesThatUp()
    {
        StagedUpdate broken = await OpenAsync(Key("pi-1", 1), 80);
        _staging.Park(broken);

        using StagedUpdate other = await OpenAsync(Key("pi-1", 2), 80).WaitAsync(_soon, Ct);

        Assert.NotSame(broken, other);
    }

    [Fact]
    public async Task DropRound_SeveralRoundsAreHeld_FreesThatOneAlone()
    {
        UploadKey kept = Key("pi-1", 1) with { Round = 2 };
        StagedUpdate next = await OpenAsync(kept, 20);
        next.Append(new byte[5]);
        _staging.Park(next);
        _staging.Park(await OpenAsync(Key("pi-1", 1), 40));
        _staging.Park(await OpenAsync(Key("pi-2", 1), 40));
        Task<StagedUpdate> waiting = OpenAsync(Key("pi-3", 1), 80);
        Assert.False(waiting.IsCompleted);

        _staging.DropRound("job-1", 1);

        using StagedUpdate admitted = await waiting.WaitAsync(_soon, Ct);
        Assert.Equal(5, _staging.ReceivedBytes(kept));
    }

    private static UploadKey Key(string deviceId, byte content) => new("job-1", 1, deviceId, ContentHash.Of([content]));

    private Task<StagedUpdate> OpenAsync(UploadKey key, int lengthBytes) => _staging.OpenAsync(key, lengthBytes, sumBytes: 0, Ct);
}
