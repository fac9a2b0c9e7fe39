using System.Net.Sockets;

namespace Federated.Client.Operations;

/// <summary>Answers any HTTP GET on a port of the loopback interface with the device's health: 200 when it is well, 503 when it is not.</summary>
internal sealed class HealthEndpoint : IAsyncDisposable
{
    private readonly LocalHttp _http;

    /// <summary>Listens.</summary>
    /// <param name="port">The port; 0 takes a free one.</param>
    /// <param name="health">What is answered.</param>
    /// <param name="patience">How long a caller may take; as <see cref="LocalHttp"/> has it when left out.</param>
    /// <exception cref="SocketException">The port is taken.</exception>
    public HealthEndpoint(int port, DeviceHealth health, TimeSpan? patience = null) =>
        _http = LocalHttp.OnPort(port, 0, (request, _) => Task.FromResult(Answer(request, health)), patience);

    /// <summary>Where it listens.</summary>
    public Uri Address => new(_http.Address);

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _http.DisposeAsync();

    private static LocalAnswer Answer(LocalRequest request, DeviceHealth health)
    {
        if (request.Method != "GET")
        {
            return new LocalAnswer("405 Method Not Allowed", []);
        }

        (bool well, byte[] json) = health.Describe();
        return new LocalAnswer(well ? "200 OK" : "503 Service Unavailable", json);
    }
}
