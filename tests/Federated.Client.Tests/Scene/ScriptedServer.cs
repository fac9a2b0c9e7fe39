using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Federated.Client.Tests.Scene;

/// <summary>A real Kestrel on loopback that follows a script. It can be stopped and started again on its port.</summary>
internal sealed class ScriptedServer : IAsyncDisposable
{
    // Meanwhile another program may have been given the port.
    private static readonly TimeSpan _tryAgain = TimeSpan.FromMilliseconds(50);

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
        long began = TimeProvider.System.GetTimestamp();
        while (!await TryStartAsync(mayBeInUse: Address.Port != 0 && TimeProvider.System.GetElapsedTime(began) < RoundScene.Patience / 2))
        {
            await Task.Delay(_tryAgain, TimeProvider.System, TestContext.Current.CancellationToken);
        }
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

    /// <summary>False when the port is in use, where that may be.</summary>
    private async Task<bool> TryStartAsync(bool mayBeInUse)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, Address.Port, listen => listen.Protocols = HttpProtocols.Http2));
        builder.Services.AddGrpc();
        builder.Services.AddSingleton(_script);
        WebApplication application = builder.Build();
        application.MapGrpcService<ScriptedDeviceService>();
        application.MapGrpcService<ScriptedTransferService>();
        application.MapGrpcService<ScriptedUpdateService>();
        try
        {
            await application.StartAsync();
        }
        catch (IOException e) when (mayBeInUse && e.InnerException is AddressInUseException)
        {
            await application.DisposeAsync();
            return false;
        }

        _application = application;
        Address = new Uri(application.Urls.Single());
        return true;
    }
}
