using Federated.Client.Policies;

namespace Federated.Client.Tests.Policies;

public sealed class DeviceSensorsTests
{
    [Fact]
    public void Read_RaspberryPi_TellsHeatMemoryAndRoute()
    {
        using SystemTree tree = SystemTree.RaspberryPi();

        DeviceReading reading = tree.Read();

        Assert.Equal(51.75, reading.Celsius);
        Assert.Equal("", reading.Throttling);
        Assert.Equal(6291456L << 10, reading.FreeMemoryBytes);
        Assert.Equal("eth0", reading.Interface);
        Assert.Equal(1000, reading.LinkMegabits);
        Assert.True(reading.OnMains);
        Assert.Null(reading.BatteryPercent);
        Assert.Null(reading.Watts);
        Assert.Equal(10L << 30, reading.FreeDiskBytes);
    }

    [Theory]
    [InlineData("50005", "too low a voltage, throttled")]
    [InlineData("0x8", "soft limit of temperature")]
    [InlineData("0x50000", "")]
    public void Read_RaspberryPiFirmware_TellsWhatHoldsNow(string bits, string throttling)
    {
        using SystemTree tree = SystemTree.RaspberryPi().With("sys/devices/platform/axi/axi:firmware/get_throttled", bits);

        Assert.Equal(throttling, tree.Read().Throttling);
    }

    [Fact]
    public void Read_Jetson_TellsTheBoardsPowerAndNotTheConstantZone()
    {
        using SystemTree tree = SystemTree.Jetson();

        DeviceReading reading = tree.Read();

        Assert.Equal(6.0768, reading.Watts!.Value, 4);
        Assert.Equal(49.031, reading.Celsius);
        Assert.Equal("", reading.Throttling);
    }

    [Fact]
    public void Read_JetsonBeforeJetPack5_TellsPowerByIio()
    {
        using SystemTree tree = new SystemTree()
            .With("sys/bus/i2c/drivers/ina3221x/6-0040/iio:device0/rail_name_0", "POM_5V_IN")
            .With("sys/bus/i2c/drivers/ina3221x/6-0040/iio:device0/in_power0_input", "2345");

        Assert.Equal(2.345, tree.Read().Watts);
    }

    [Fact]
    public void Read_CoolingDeviceOfTheProcessorAtWork_IsThrottling()
    {
        using SystemTree tree = SystemTree.Jetson().With("sys/class/thermal/cooling_device0/cur_state", "3");

        Assert.Equal("cpufreq-cpu0", tree.Read().Throttling);
    }

    [Theory]
    [InlineData("Discharging", "1", false)]
    [InlineData("Charging", "1", true)]
    [InlineData("Full", "0", false)]
    public void Read_Battery_DecidesWhetherThereIsExternalPower(string status, string online, bool onMains)
    {
        using SystemTree tree = SystemTree.OnBattery(40).With("sys/class/power_supply/BAT0/status", status).With("sys/class/power_supply/AC/online", online);

        DeviceReading reading = tree.Read();

        Assert.Equal(onMains, reading.OnMains);
        Assert.Equal(40, reading.BatteryPercent);
    }

    [Fact]
    public void Read_BatteryOfAMouse_IsNotTheDevices()
    {
        using SystemTree tree = SystemTree.OnBattery(5).With("sys/class/power_supply/BAT0/scope", "Device").Without("sys/class/power_supply/AC");

        DeviceReading reading = tree.Read();

        Assert.True(reading.OnMains);
        Assert.Null(reading.BatteryPercent);
    }

    [Fact]
    public void Read_ControlGroupWithALimit_LeavesNoMoreThanThat()
    {
        using SystemTree tree = SystemTree.RaspberryPi()
            .With("sys/fs/cgroup/system.slice/federated-client.service/memory.max", $"{256 << 20}")
            .With("sys/fs/cgroup/system.slice/federated-client.service/memory.current", $"{200 << 20}");
        Assert.Equal(56L << 20, tree.Read().FreeMemoryBytes);

        // What the kernel keeps of files it gives back.
        tree.With("sys/fs/cgroup/system.slice/federated-client.service/memory.stat", $"anon {60 << 20}\ninactive_file {90 << 20}\nactive_file {50 << 20}\n");
        Assert.Equal(196L << 20, tree.Read().FreeMemoryBytes);

        tree.With("sys/fs/cgroup/system.slice/federated-client.service/memory.max", "max");
        Assert.Equal(6291456L << 10, tree.Read().FreeMemoryBytes);
    }

    [Fact]
    public void Read_NothingThere_TellsNothing()
    {
        using SystemTree tree = new() { FreeDiskBytes = null };

        Assert.Equal(new DeviceReading { OnMains = true }, tree.Read());
    }

    [Fact]
    public void Read_FilesWithNonsense_TellsNothing()
    {
        using SystemTree tree = SystemTree.RaspberryPi()
            .With("sys/class/thermal/thermal_zone0/temp", "-274000000000000000000000")
            .With("sys/class/thermal/thermal_zone1/temp", "511000")
            .With("sys/devices/platform/axi/axi:firmware/get_throttled", "none")
            .With("proc/meminfo", "MemAvailable: much kB")
            .With("proc/net/route", "Iface\n../../etc\t00000000\t0\t3\t0\t0\t0\t00000000\t0\t0\t0")
            .With("sys/class/power_supply/BAT0/type", "Battery")
            .With("sys/class/power_supply/BAT0/capacity", "700");

        Assert.Equal(new DeviceReading { FreeDiskBytes = 10L << 30, Interface = "" }, tree.Read());
    }
}
