using Federated.Server.Api;
using Federated.Server.Collection;
using Federated.Server.Dashboard;

namespace Federated.Dashboard.Tests;

/// <summary>The fleet by the values of a label.</summary>
public sealed class FleetMapTests
{
    private static readonly DateTimeOffset _then = DateTimeOffset.UnixEpoch;

    [Fact]
    public void LabelsOf_SeveralLabels_TheMostUsedWithFewestValuesComesFirst()
    {
        DeviceSummary[] devices =
        [
            Device("a", DevicePresence.Waiting, ("serial", "1"), ("site", "oslo"), ("rare", "x")),
            Device("b", DevicePresence.Waiting, ("serial", "2"), ("site", "oslo")),
        ];

        Assert.Equal(["site", "serial", "rare", ""], FleetMap.LabelsOf(devices));
        Assert.Equal([""], FleetMap.LabelsOf([]));
    }

    [Fact]
    public void Of_SmallFleet_HasAMarkADeviceInItsState()
    {
        FleetMap map = FleetMap.Of(
            [
                Device("a", DevicePresence.Training, ("site", "oslo")),
                Device("b", DevicePresence.Absent, ("site", "bergen")),
                Device("c", DevicePresence.Waiting, ("site", "oslo"), revoked: true),
                Device("d", DevicePresence.Resting),
            ],
            "site");

        Assert.Equal(1, map.DevicesAMark);
        Assert.Equal([("oslo", "oslo", 2), ("bergen", "bergen", 1), (null, "without site", 1)], map.Blocks.Select(block => (block.Value, block.Name, block.Count)));
        Assert.Equal([new FleetMark(FleetState.Training, "a"), new FleetMark(FleetState.Revoked, "c")], map.Blocks[0].Marks);
        Assert.Equal([1, 0, 0, 0, 1], map.Blocks[0].Counts);
    }

    [Fact]
    public void Of_TenThousandDevicesOfManyValues_IsBoundedAndCountsThemAll()
    {
        DeviceSummary[] devices = [.. Enumerable.Range(0, 10_000).Select(i => Device($"d{i:D5}", (DevicePresence)(i % 4), ("site", $"site-{i % 100:D2}")))];

        FleetMap map = FleetMap.Of(devices, "site");

        Assert.Equal(10_000, map.Blocks.Sum(block => block.Count));
        Assert.Equal(FleetMap.MaxBlocks + 1, map.Blocks.Count);
        Assert.True(map.Blocks[^1].IsRest);
        Assert.Equal("76 more values", map.Blocks[^1].Name);
        Assert.Equal(10, map.DevicesAMark);
        Assert.All(map.Blocks.Take(FleetMap.MaxBlocks), block => Assert.All(block.Marks, mark => Assert.Null(mark.DeviceId)));
        Assert.True(map.Blocks.Sum(block => block.Marks.Count) <= FleetMap.MaxMarks + (FleetMap.MaxBlocks * FleetStates.All.Count));
    }

    [Fact]
    public void Of_FleetWithoutLabels_IsMappedByPopulation()
    {
        FleetMap map = FleetMap.Of([Device("a", DevicePresence.Waiting), Device("b", DevicePresence.Waiting)], "");

        Assert.Equal([("homes", 2)], map.Blocks.Select(block => (block.Name, block.Count)));
    }

    private static DeviceSummary Device(string id, DevicePresence presence, params (string Name, string Value)[] labels) => Device(id, presence, labels, revoked: false);

    private static DeviceSummary Device(string id, DevicePresence presence, (string Name, string Value) label, bool revoked) => Device(id, presence, [label], revoked);

    private static DeviceSummary Device(string id, DevicePresence presence, (string Name, string Value)[] labels, bool revoked) => new()
    {
        DeviceId = id,
        Population = "homes",
        Presence = presence,
        Labels = labels.ToDictionary(label => label.Name, label => label.Value),
        Enrollment = revoked ? new DeviceEnrollment(id, "homes", new Dictionary<string, string>(), _then, _then, _then, null) : null,
    };
}
