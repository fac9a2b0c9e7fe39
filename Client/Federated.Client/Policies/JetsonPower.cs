namespace Federated.Client.Policies;

/// <summary>
/// The INA3221 monitors of Jetson boards, which measure what the whole board draws: what <c>tegrastats</c> prints as VDD_IN or POM_5V_IN. As hwmon since JetPack 5,
/// as an IIO device before.
/// </summary>
internal sealed class JetsonPower(SystemFiles files)
{
    private static readonly string[] _drivers = ["sys/bus/i2c/drivers/ina3221", "sys/bus/i2c/drivers/ina3221x"];
    private static readonly string[] _inputs = ["VDD_IN", "POM_5V_IN", "VIN_SYS_5V0"];

    /// <summary>The board's power, in watts.</summary>
    public double? Watts()
    {
        foreach (string driver in _drivers)
        {
            foreach (string chip in files.Names(driver))
            {
                foreach (string folder in files.Names($"{driver}/{chip}/hwmon"))
                {
                    if (Hwmon($"{driver}/{chip}/hwmon/{folder}") is { } watts)
                    {
                        return watts;
                    }
                }

                foreach (string folder in files.Names($"{driver}/{chip}"))
                {
                    if (folder.StartsWith("iio", StringComparison.Ordinal) && Iio($"{driver}/{chip}/{folder}") is { } watts)
                    {
                        return watts;
                    }
                }
            }
        }

        return null;
    }

    // Millivolts and milliamperes.
    private double? Hwmon(string folder)
    {
        for (int channel = 1; channel <= 3; channel++)
        {
            if (_inputs.Contains(files.Text($"{folder}/in{channel}_label"))
                && files.Number($"{folder}/in{channel}_input") is { } millivolts and >= 0 and < 100_000
                && files.Number($"{folder}/curr{channel}_input") is { } milliamperes and >= 0 and < 100_000)
            {
                return millivolts * milliamperes / 1e6;
            }
        }

        return null;
    }

    // Milliwatts.
    private double? Iio(string folder)
    {
        for (int channel = 0; channel < 3; channel++)
        {
            if (_inputs.Contains(files.Text($"{folder}/rail_name_{channel}"))
                && files.Number($"{folder}/in_power{channel}_input") is { } milliwatts and >= 0 and < 1_000_000)
            {
                return milliwatts / 1e3;
            }
        }

        return null;
    }
}
