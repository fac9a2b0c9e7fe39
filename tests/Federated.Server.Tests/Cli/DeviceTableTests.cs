using Federated.Server.Api;
using Federated.Server.Cli;
using Federated.Server.Identity;

namespace Federated.Server.Tests.Cli;

/// <summary>A refused call that concerns a device is not the device's state.</summary>
public sealed class DeviceTableTests
{
    private static readonly DateTimeOffset _now = new(2026, 5, 1, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void RowOf_DeviceThatARefusedCallConcerns_SaysHowLongItIsEnrolled()
    {
        Assert.Equal("until 2026-07-30 12:00:00Z", DeviceTable.RowOf(Device("pi-1", new RefusedCall("TokenUsed", "used", _now)))[^1]);
        Assert.Equal("revoked 2026-05-01 12:00:00Z", DeviceTable.RowOf(Device("pi-1", null, revoked: _now))[^1]);
        Assert.Equal("–", DeviceTable.RowOf(new DeviceSummary { DeviceId = "clear" })[^1]);
    }

    [Fact]
    public void RefusalsOf_SeveralDevices_AreLinesOfTheirOwnWithTheLatestFirst() => Assert.Equal(
        [
            "2026-05-01 12:00:00Z a call that concerns pi-3 was refused: ForeignCertificate. 'devices show pi-3' tells more.",
            "2026-05-01 11:00:00Z a call that concerns pi-1 was refused: TokenUsed. 'devices show pi-1' tells more.",
        ],
        DeviceTable.RefusalsOf(
        [
            Device("pi-1", new RefusedCall("TokenUsed", "used", _now.AddHours(-1))), Device("pi-2", null), Device("pi-3", new RefusedCall("ForeignCertificate", "foreign", _now)),
            new DeviceSummary { DeviceId = "clear" },
        ]));

    private static DeviceSummary Device(string id, RefusedCall? refusal, DateTimeOffset? revoked = null) => new()
    {
        DeviceId = id,
        Enrollment = new DeviceEnrollment(id, "", new Dictionary<string, string>(), _now, _now.AddDays(90), revoked, refusal),
    };
}
