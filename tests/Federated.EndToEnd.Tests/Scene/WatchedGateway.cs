using System.Collections.Concurrent;
using System.Net;
using Federated.Shared.Models;
using Federated.Shared.Protos;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Federated.EndToEnd.Tests.Scene;

/// <summary>A way to a server that passes every message on, counts them, and shows each download with its offset to the test.</summary>
internal sealed class WatchedGateway : IAsyncDisposable
{
    private readonly WebApplication _application;

    private WatchedGateway(WebApplication application, Traffic traffic)
    {
        _application = application;
        Messages = traffic;
    }

    /// <summary>Where clients connect.</summary>
    public Uri Address => new(_application.Urls.Single());

    /// <summary>What has passed.</summary>
    public Traffic Messages { get; }

    /// <summary>Opens one on a free port of the loopback interface.</summary>
    public static async Task<WatchedGateway> OpenAsync(GrpcChannel server)
    {
        Traffic traffic = new();
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2));
        builder.Services.AddGrpc();
        builder.Services.AddSingleton(traffic);
        builder.Services.AddSingleton(server.CreateCallInvoker());
        WebApplication application = builder.Build();
        application.MapGrpcService<Devices>();
        application.MapGrpcService<Transfers>();
        application.MapGrpcService<Updates>();
        await application.StartAsync();
        return new WatchedGateway(application, traffic);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _application.StopAsync(new CancellationToken(canceled: true));
        await _application.DisposeAsync();
    }

    /// <summary>Messages in both directions. Thread-safe.</summary>
    internal sealed class Traffic
    {
        private long _count;

        /// <summary>Messages so far.</summary>
        public long Count => Interlocked.Read(ref _count);

        /// <summary>Every download that was asked for.</summary>
        public ConcurrentQueue<(ContentHash Content, long Offset)> Downloads { get; } = new();

        /// <summary>Bytes of content that downloads of each object brought.</summary>
        public ConcurrentDictionary<ContentHash, long> Carried { get; } = new();

        /// <summary>What becomes of an address in the store before the client sees it.</summary>
        public Func<string, string> Address { get; set; } = address => address;

        /// <summary>What every submission waits for before the server sees anything of it.</summary>
        public Task Submissions { get; set; } = Task.CompletedTask;

        /// <summary>One more.</summary>
        public void Note() => Interlocked.Increment(ref _count);
    }

    private sealed class Devices(CallInvoker server, Traffic traffic) : DeviceService.DeviceServiceBase
    {
        private readonly DeviceService.DeviceServiceClient _server = new(server);

        public override async Task<CheckInReply> CheckIn(CheckInRequest request, ServerCallContext context)
        {
            CheckInReply reply = await _server.CheckInAsync(request, cancellationToken: context.CancellationToken);
            traffic.Note();
            return reply;
        }

        public override async Task<AbortReply> ReportAbort(AbortReport request, ServerCallContext context) =>
            await _server.ReportAbortAsync(request, cancellationToken: context.CancellationToken);
    }

    private sealed class Transfers(CallInvoker server, Traffic traffic) : TransferService.TransferServiceBase
    {
        private static readonly TimeSpan _pause = TimeSpan.FromMilliseconds(5);

        private readonly TransferService.TransferServiceClient _server = new(server);

        public override async Task Download(DownloadRequest request, IServerStreamWriter<DownloadChunk> responses, ServerCallContext context)
        {
            ContentHash content = ContentHash.FromBytes(request.Sha256.Span);
            traffic.Downloads.Enqueue((content, (long)request.Offset));
            using AsyncServerStreamingCall<DownloadChunk> call = _server.Download(request, cancellationToken: context.CancellationToken);
            await foreach (DownloadChunk chunk in call.ResponseStream.ReadAllAsync(context.CancellationToken))
            {
                if (chunk.Address.Length > 0)
                {
                    chunk.Address = traffic.Address(chunk.Address);
                }

                await responses.WriteAsync(chunk, context.CancellationToken);
                traffic.Note();
                traffic.Carried.AddOrUpdate(content, chunk.Data.Length, (_, held) => held + chunk.Data.Length);

                // As slow as a link is that a power cut can meet half-way.
                await Task.Delay(_pause, TimeProvider.System, context.CancellationToken);
            }
        }
    }

    private sealed class Updates(CallInvoker server, Traffic traffic) : UpdateService.UpdateServiceBase
    {
        private readonly UpdateService.UpdateServiceClient _server = new(server);

        public override async Task<UploadStatusReply> UploadStatus(UploadStatusRequest request, ServerCallContext context)
        {
            traffic.Note();
            return await _server.UploadStatusAsync(request, cancellationToken: context.CancellationToken);
        }

        public override async Task<SubmitReply> Submit(IAsyncStreamReader<SubmitChunk> requests, ServerCallContext context)
        {
            await traffic.Submissions.WaitAsync(context.CancellationToken);
            using AsyncClientStreamingCall<SubmitChunk, SubmitReply> call = _server.Submit(cancellationToken: context.CancellationToken);
            await foreach (SubmitChunk chunk in requests.ReadAllAsync(context.CancellationToken))
            {
                await call.RequestStream.WriteAsync(chunk, context.CancellationToken);
                traffic.Note();
            }

            await call.RequestStream.CompleteAsync();
            SubmitReply reply = await call.ResponseAsync;
            traffic.Note();
            return reply;
        }
    }
}
