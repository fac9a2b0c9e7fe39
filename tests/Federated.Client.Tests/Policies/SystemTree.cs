using Federated.Client.Policies;
using Federated.Testing;

namespace Federated.Client.Tests.Policies;

/// <summary>A root of the file system with the files that a test writes.</summary>
internal sealed class SystemTree : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    /// <summary>Room on the disk.</summary>
    public long? FreeDiskBytes { get; set; } = 10L << 30;

    /// <summary>Writes a file as the kernel would show it, with a line feed at its end.</summary>
    public SystemTree With(string path, string text)
    {
        string full = Path.Combine(_folder.Path, path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        File.WriteAllText(full, text + "\n");
        return this;
    }

    /// <summary>Takes a file or a folder away.</summary>
    public SystemTree Without(string path)
    {
        string full = Path.Combine(_folder.Path, path);
        if (Directory.Exists(full))
        {
            Directory.Delete(full, recursive: true);
        }
        else
        {
            File.Delete(full);
        }

        return this;
    }

    /// <summary>A Raspberry Pi 5 on Ethernet: sensors of its firmware and of its processor.</summary>
    public static SystemTree RaspberryPi() => new SystemTree()
        .With("sys/class/thermal/thermal_zone0/type", "cpu-thermal")
        .With("sys/class/thermal/thermal_zone0/temp", "51750")
        .With("sys/class/thermal/cooling_device0/type", "pwm-fan")
        .With("sys/class/thermal/cooling_device0/cur_state", "2")
        .With("sys/devices/platform/axi/axi:firmware/get_throttled", "50000")
        .With("proc/meminfo", "MemTotal:        8137692 kB\nMemFree:         5000000 kB\nMemAvailable:    6291456 kB")
        .With("proc/self/cgroup", "0::/system.slice/federated-client.service")
        .With("proc/net/route", "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"
            + "eth0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\nwwan0\t00000000\t0101A8C0\t0003\t0\t0\t700\t00000000\t0\t0\t0\n"
            + "eth0\t0001A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0")
        .With("sys/class/net/eth0/speed", "1000");

    /// <summary>A Jetson Orin Nano: its power monitor, its zones, one of which is no sensor, and its cooling devices.</summary>
    public static SystemTree Jetson() => new SystemTree()
        .With("sys/class/thermal/thermal_zone0/type", "cpu-thermal")
        .With("sys/class/thermal/thermal_zone0/temp", "47500")
        .With("sys/class/thermal/thermal_zone1/type", "gpu-thermal")
        .With("sys/class/thermal/thermal_zone1/temp", "49031")
        .With("sys/class/thermal/thermal_zone2/type", "PMIC-Die")
        .With("sys/class/thermal/thermal_zone2/temp", "100000")
        .With("sys/class/thermal/cooling_device0/type", "cpufreq-cpu0")
        .With("sys/class/thermal/cooling_device0/cur_state", "0")
        .With("sys/bus/i2c/drivers/ina3221/1-0040/hwmon/hwmon3/in1_label", "VDD_IN")
        .With("sys/bus/i2c/drivers/ina3221/1-0040/hwmon/hwmon3/in1_input", "5064")
        .With("sys/bus/i2c/drivers/ina3221/1-0040/hwmon/hwmon3/curr1_input", "1200")
        .With("sys/bus/i2c/drivers/ina3221/1-0040/hwmon/hwmon3/in2_label", "VDD_CPU_GPU_CV")
        .With("sys/bus/i2c/drivers/ina3221/1-0040/hwmon/hwmon3/in2_input", "5064")
        .With("sys/bus/i2c/drivers/ina3221/1-0040/hwmon/hwmon3/curr2_input", "400");

    /// <summary>A board with a battery that empties.</summary>
    public static SystemTree OnBattery(int percent) => new SystemTree()
        .With("sys/class/power_supply/BAT0/type", "Battery")
        .With("sys/class/power_supply/BAT0/status", "Discharging")
        .With("sys/class/power_supply/BAT0/capacity", $"{percent}")
        .With("sys/class/power_supply/AC/type", "Mains")
        .With("sys/class/power_supply/AC/online", "0");

    /// <summary>What the sensors say now.</summary>
    public DeviceReading Read() => new DeviceSensors(_folder.Path, () => FreeDiskBytes).Read();

    /// <inheritdoc/>
    public void Dispose() => _folder.Dispose();
}
