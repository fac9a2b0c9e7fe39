using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Federated.Client.Tests.Scene;

/// <summary>A real Kestrel on loopback that follows a script. It can be stopped and started again on its port.</summary>
internal sealed class ScriptedServer : IAsyncDisposable
{
    private readonly ServerScript _script;
    private WebApplication? _application;

    private ScriptedServer(ServerScript script) => _script = script;

    public Uri Address { get; private set; } = new("http://127.0.0.1:0");

    public static async Task<ScriptedServer> StartAsync(ServerScript script)
    {
        ScriptedServer server = new(script);
        await server.StartAsync();
        return server;
    }

    public async Task StartAsync()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, Address.Port, listen => listen.Protocols = HttpProtocols.Http2));
        builder.Services.AddGrpc();
        builder.Services.AddSingleton(_script);
        _application = builder.Build();
        _application.MapGrpcService<ScriptedDeviceService>();
        _application.MapGrpcService<ScriptedTransferService>();
        _application.MapGrpcService<ScriptedUpdateService>();
        await _application.StartAsync();
        Address = new Uri(_application.Urls.Single());
    }

    /// <summary>Stops at once: connections are cut, as a killed process cuts them.</summary>
    public async Task KillAsync()
    {
        await _application!.StopAsync(new CancellationToken(canceled: true));
        await _application.DisposeAsync();
        _application = null;
    }

    public async ValueTask DisposeAsync()
    {
        if (_application is not null)
        {
            await KillAsync();
        }
    }
}
