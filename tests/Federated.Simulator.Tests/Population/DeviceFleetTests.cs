using Federated.Client.Session;
using Federated.Client.Transport;
using Federated.Shared.Models;
using Federated.Shared.Protocol;
using Federated.Shared.Protos;
using Federated.Simulator.Faults;
using Federated.Simulator.Population;
using Federated.Training;
using ErrorCode = Federated.Shared.Protocol.ErrorCode;

namespace Federated.Simulator.Tests.Population;

public sealed class DeviceFleetTests
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task Start_OneDeviceRefusedForGood_FaultsWhileTheOthersGoOn()
    {
        using ModelCache models = new(new ModelCacheOptions());
        await using DeviceFleet fleet = Fleet(models);

        Task devices = fleet.Start();

        ServerLinkException refused = await Assert.ThrowsAsync<ServerLinkException>(
            () => devices.WaitAsync(_patience, TestContext.Current.CancellationToken));
        Assert.Equal("device-001 is not welcome.", refused.Message);
        await fleet.StopAsync().WaitAsync(_patience, TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task DrainAsync_AfterADeviceFailed_EndsAndSaysNothingOfIt()
    {
        using ModelCache models = new(new ModelCacheOptions());
        await using DeviceFleet fleet = Fleet(models);
        Task devices = fleet.Start();
        await Assert.ThrowsAsync<ServerLinkException>(() => devices.WaitAsync(_patience, TestContext.Current.CancellationToken));

        await fleet.DrainAsync(_patience);
        await fleet.StopAsync();
    }

    private static DeviceFleet Fleet(ModelCache models) => DeviceFleet.Over(
        [new SelectiveLink(refused: "device-001")],
        "toy",
        new NoExamples(),
        [[], [], []],
        [.. Enumerable.Repeat(FleetProfile.Desktop, 3)],
        new FleetSurroundings
        {
            Models = models,
            Session = new SessionOptions(),
            Faults = new FaultModel(1, 0, 0),
            SilentLosses = false,
            Gate = new ArrivalGate(TimeProvider.System),
            Energy = new EnergyMeter(),
            Time = TimeProvider.System,
        },
        enrollment: null);

    /// <summary>Refuses one device for good and never answers the others.</summary>
    private sealed class SelectiveLink(string refused) : IServerLink
    {
        public async Task<CheckInReply> CheckInAsync(CheckInRequest request, TimeSpan timeout, ByteCounter counter, CancellationToken cancellationToken)
        {
            if (request.DeviceId == refused)
            {
                throw new ServerLinkException($"{refused} is not welcome.", retriable: false, ErrorCode.DeviceRevoked);
            }

            await Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken);
            throw new InvalidOperationException("It never answers.");
        }

        public Task ReportAbortAsync(AbortReport report, TimeSpan timeout, ByteCounter counter, CancellationToken cancellationToken) => throw NoRound();

        public Task DownloadAsync(
            ContentHash content, long offset, IDownloadSink sink, bool direct, TimeSpan timeout, ByteCounter counter, CancellationToken cancellationToken) => throw NoRound();

        public Task<UploadStatusReply> UploadStatusAsync(
            UploadStatusRequest request, TimeSpan timeout, ByteCounter counter, CancellationToken cancellationToken) => throw NoRound();

        public Task<GroupReply> ExchangeAsync(GroupRequest request, TimeSpan timeout, ByteCounter counter, CancellationToken cancellationToken) => throw NoRound();

        public Task<SubmitReply> SubmitAsync(
            SubmitHeader header, ReadOnlyMemory<byte> payload, long offset, TimeSpan timeout, ByteCounter counter, CancellationToken cancellationToken) => throw NoRound();

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;

        private static InvalidOperationException NoRound() => new("Nobody is in a round.");
    }

    private sealed class NoExamples : IExampleSource
    {
        public int Count => 0;

        public ExampleFormat Format => throw new InvalidOperationException("Nobody trains.");

        public void CopyTo(ReadOnlySpan<int> indices, ExampleBatch batch) => throw new InvalidOperationException("Nobody trains.");
    }
}
