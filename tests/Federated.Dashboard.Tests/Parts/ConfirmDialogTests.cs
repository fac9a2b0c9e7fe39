// The renderer is a type of the framework that it keeps the right to change; a component's life cannot be run without one.
#pragma warning disable BL0006
using Federated.Server.Dashboard.Parts;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.RenderTree;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.JSInterop;

namespace Federated.Dashboard.Tests.Parts;

/// <summary>The question before something is done.</summary>
public sealed class ConfirmDialogTests
{
    [Fact]
    public async Task Draw_TheBrowserIsGone_IsNoError()
    {
        await using ServiceProvider services = new ServiceCollection().AddSingleton<IJSRuntime>(new GoneBrowser()).BuildServiceProvider();
        await using BareRenderer renderer = new(services);

        await renderer.DrawAsync<ConfirmDialog>();

        Assert.True(renderer.HasDrawn);
        Assert.Empty(renderer.Errors);
    }

    /// <summary>A browser whose connection ended.</summary>
    private sealed class GoneBrowser : IJSRuntime
    {
        public ValueTask<TValue> InvokeAsync<TValue>(string identifier, object?[]? args) => throw new JSDisconnectedException("The browser is gone.");

        public ValueTask<TValue> InvokeAsync<TValue>(string identifier, CancellationToken cancellationToken, object?[]? args) => InvokeAsync<TValue>(identifier, args);
    }

    /// <summary>Runs a component's life and draws nothing.</summary>
    private sealed class BareRenderer(IServiceProvider services) : Renderer(services, NullLoggerFactory.Instance)
    {
        public override Dispatcher Dispatcher { get; } = Dispatcher.CreateDefault();

        public List<Exception> Errors { get; } = [];

        public bool HasDrawn { get; private set; }

        public Task DrawAsync<TComponent>()
            where TComponent : IComponent => Dispatcher.InvokeAsync(() => RenderRootComponentAsync(AssignRootComponentId(InstantiateComponent(typeof(TComponent)))));

        protected override void HandleException(Exception exception) => Errors.Add(exception);

        protected override Task UpdateDisplayAsync(in RenderBatch renderBatch)
        {
            HasDrawn = true;
            return Task.CompletedTask;
        }
    }
}
