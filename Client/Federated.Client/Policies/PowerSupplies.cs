namespace Federated.Client.Policies;

/// <summary>External power and batteries by <c>/sys/class/power_supply</c>.</summary>
internal sealed class PowerSupplies(SystemFiles files)
{
    private const string Folder = "sys/class/power_supply";

    /// <summary>Whether external power is there, and the charge of the emptiest battery.</summary>
    public (bool? OnMains, double? Percent) Read()
    {
        bool? mains = null;
        bool discharging = false;
        bool charging = false;
        bool battery = false;
        double? percent = null;
        foreach (string name in files.Names(Folder))
        {
            string supply = $"{Folder}/{name}";

            // A supply of scope "Device" feeds a mouse or a phone, not this machine.
            if (files.Text($"{supply}/scope") == "Device")
            {
                continue;
            }

            switch (files.Text($"{supply}/type"))
            {
                case "Mains" or "USB" or "Wireless" or "USB_C" or "USB_PD":
                    if (files.Number($"{supply}/online") is { } online)
                    {
                        mains = (mains ?? false) || online > 0;
                    }

                    break;
                case "Battery" or "UPS":
                    battery = true;
                    if (files.Number($"{supply}/capacity") is { } capacity and >= 0 and <= 100)
                    {
                        percent = Math.Min(percent ?? 100, capacity);
                    }

                    string status = files.Text($"{supply}/status") ?? "";
                    discharging |= status == "Discharging";
                    charging |= status is "Charging" or "Full" or "Not charging";
                    break;
                default:
                    break;
            }
        }

        // A battery that empties decides: supplies are often told as present while they give too little. What has neither hangs on a wire.
        return (discharging ? false : mains ?? (battery ? (charging ? true : null) : true), percent);
    }
}
