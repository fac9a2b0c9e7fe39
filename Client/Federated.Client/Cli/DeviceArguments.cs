using Federated.Client.Identity;
using Federated.Client.Session;
using Federated.Client.Transport;

namespace Federated.Client.Cli;

/// <summary>Who runs and whom it talks to: an enrolled identity, or names from the command line on loopback.</summary>
/// <param name="Identity">Who checks in.</param>
/// <param name="Server">Where.</param>
/// <param name="Enrolled">The enrolled identity; null without one.</param>
internal sealed record DeviceArguments(ClientIdentity Identity, Uri Server, DeviceIdentity? Enrolled)
{
    /// <summary>Combines what was said with what was enrolled.</summary>
    /// <exception cref="FormatException">Something is missing, or the two contradict each other.</exception>
    /// <exception cref="ArgumentException">A name is no identifier.</exception>
    /// <exception cref="InvalidDataException">The enrolled identity is damaged.</exception>
    public static DeviceArguments Resolve(string? server, string? deviceId, string? population, string? state, IReadOnlyDictionary<string, string> labels)
    {
        DeviceIdentity? enrolled = state is null ? null : DeviceIdentity.Open(state);
        if (enrolled is null)
        {
            Uri address = Address(server ?? throw Missing("--server"));
            DemandLoopback(address, state);
            return new DeviceArguments(
                new ClientIdentity(deviceId ?? throw Missing("--device-id"), population ?? throw Missing("--population"), labels), address, null);
        }

        if (deviceId is not null && deviceId != enrolled.DeviceId)
        {
            throw new FormatException($"--device-id is '{deviceId}', and '{state}' holds the identity of '{enrolled.DeviceId}'. Leave it out.");
        }

        string place = enrolled.Population.Length > 0 ? enrolled.Population : population ?? throw Missing("--population");
        if (population is not null && population != place)
        {
            throw new FormatException($"--population is '{population}', and the device is enrolled for '{place}'. Leave it out.");
        }

        Uri where = server is null ? enrolled.Server : Address(server);
        return where.Scheme == Uri.UriSchemeHttps
            ? new DeviceArguments(new ClientIdentity(enrolled.DeviceId, place, labels), where, enrolled)
            : throw new FormatException($"The server address '{where}' is in clear text, and the device is enrolled. Write it as https://HOST:PORT.");
    }

    /// <summary>A link as this device.</summary>
    /// <param name="maxBytesPerSecond">Most content a second; 0 for no limit.</param>
    public GrpcServerLink Connect(long maxBytesPerSecond = 0) =>
        GrpcServerLink.Connect(Server, new GrpcLinkOptions { Security = Enrolled?.Security, MaxBytesPerSecond = maxBytesPerSecond });

    private static Uri Address(string server) => Uri.TryCreate(server, UriKind.Absolute, out Uri? uri)
        ? uri
        : throw new FormatException($"The server address '{server}' is not a URL. Write it as https://HOST:PORT.");

    private static void DemandLoopback(Uri address, string? state)
    {
        if (address.Scheme != Uri.UriSchemeHttp)
        {
            string place = state is null ? "without --state it has no identity" : $"'{state}' holds no identity";
            throw new FormatException(
                $"The server address '{address}' is one for enrolled devices, and this device is none: {place}. Enroll it: 'federated-client enroll --help'.");
        }

        if (!address.IsLoopback)
        {
            throw new FormatException(
                $"The server address '{address}' is in clear text and not on this machine. Enroll the device ('federated-client enroll') and use https.");
        }
    }

    private static FormatException Missing(string option) =>
        new($"Option '{option}' is required unless --state names the folder of an enrolled device; see 'federated-client enroll --help'.");
}
