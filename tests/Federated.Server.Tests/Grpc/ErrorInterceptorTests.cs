using Federated.Server.Grpc;
using Federated.Server.Identity;
using Federated.Server.Storage;
using Federated.Server.Tests.Storage;
using Federated.Shared.Models;
using Federated.Testing;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using ErrorCatalogue = Federated.Shared.Protocol.ErrorCatalogue;

namespace Federated.Server.Tests.Grpc;

/// <summary>What a caller is told when the connection, or the store, fails.</summary>
public sealed class ErrorInterceptorTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly FileBlobStore _blobs;
    private readonly DeviceRegistry _registry;
    private readonly ErrorInterceptor _interceptor;
    private readonly ErrorCount _log = new();

    public ErrorInterceptorTests()
    {
        _blobs = new FileBlobStore(_folder.Path, new FileBlobStoreOptions(), TimeProvider.System);
        _registry = new DeviceRegistry(new RegistryStore(_blobs), TimeProvider.System);
        _interceptor = new ErrorInterceptor(
            new CallRefusals(new RefusedCalls(TimeProvider.System), _registry, NullLogger<CallRefusals>.Instance), new MethodFailures(), _log);
    }

    [Fact]
    public async Task Unary_StoreFails_IsUnavailableWithTheCodeOfAServersFault()
    {
        foreach (IOException failure in new[] { new IOException("No space left on device"), new CorruptObjectException("objects/ab/cd", ContentHash.Of([1]), ContentHash.Of([2])) })
        {
            RpcException told = await Assert.ThrowsAsync<RpcException>(() => _interceptor.UnaryServerHandler<string, string>("", new Call(), (_, _) => throw failure));

            Assert.Equal(StatusCode.Unavailable, told.StatusCode);
            Assert.Equal("1000", told.Trailers.GetValue(ErrorCatalogue.TrailerName));
        }
    }

    [Fact]
    public async Task Unary_StoreFails_IsToldAsSuchWithoutNamesOfFiles()
    {
        Assert.Equal("The server's store failed (No space left on device); try again.", await ToldAsync(FullDisk.Failure()));
        Assert.Equal("The server's store failed; try again.", await ToldAsync(new IOException("Cannot write blob 'a' in container 'b' at https://c: the service answered 503.")));
        Assert.Equal("The server could not serve the call; try again.", await ToldAsync(new InvalidOperationException("secret")));
    }

    [Fact]
    public async Task Unary_StoreFailsAgainAndAgain_IsLoggedOnceUntilACallGoesWell()
    {
        for (int i = 0; i < 20; i++)
        {
            IOException failure = i % 2 == 0 ? new IOException($"No space left on device : '/data/~{i}'", 28) : new IOException("the store is away");
            await Assert.ThrowsAsync<RpcException>(() => _interceptor.UnaryServerHandler<string, string>("", new Call(), (_, _) => throw failure));
        }

        Assert.Equal(2, _log.Errors);
        await _interceptor.UnaryServerHandler<string, string>("", new Call(), (_, _) => Task.FromResult(""));
        await Assert.ThrowsAsync<RpcException>(
            () => _interceptor.UnaryServerHandler<string, string>("", new Call(), (_, _) => throw new IOException("the store is away")));
        Assert.Equal(3, _log.Errors);
    }

    [Fact]
    public async Task ClientStreaming_ConnectionBreaksWhileAMessageIsRead_IsCancelled()
    {
        RpcException told = await Assert.ThrowsAsync<RpcException>(() => _interceptor.ClientStreamingServerHandler<string, string>(
            new Messages(new IOException("The client reset the request stream.")), new Call(), ReadAsync));

        Assert.Equal(StatusCode.Cancelled, told.StatusCode);
        Assert.Empty(told.Trailers);
    }

    [Fact]
    public async Task ClientStreaming_StoreFailsAfterTheMessages_IsUnavailable()
    {
        RpcException told = await Assert.ThrowsAsync<RpcException>(() => _interceptor.ClientStreamingServerHandler<string, string>(
            new Messages(null),
            new Call(),
            async (messages, context) =>
            {
                await ReadAsync(messages, context);
                throw new IOException("No space left on device");
            }));

        Assert.Equal(StatusCode.Unavailable, told.StatusCode);
    }

    [Fact]
    public async Task Unary_CallerHasGone_IsCancelledWhateverFailed()
    {
        using CancellationTokenSource gone = new();
        await gone.CancelAsync();

        RpcException told = await Assert.ThrowsAsync<RpcException>(
            () => _interceptor.UnaryServerHandler<string, string>("", new Call(gone.Token), (_, context) => throw new OperationCanceledException(context.CancellationToken)));

        Assert.Equal(StatusCode.Cancelled, told.StatusCode);
    }

    public void Dispose()
    {
        _registry.Dispose();
        _blobs.Dispose();
        _folder.Dispose();
    }

    private async Task<string> ToldAsync(Exception failure) => (await Assert.ThrowsAsync<RpcException>(
        () => _interceptor.UnaryServerHandler<string, string>("", new Call(), (_, _) => throw failure))).Status.Detail;

    private static async Task<string> ReadAsync(IAsyncStreamReader<string> messages, ServerCallContext context)
    {
        while (await messages.MoveNext(context.CancellationToken))
        {
        }

        return "";
    }

    /// <summary>A log of which only the number of errors matters.</summary>
    private sealed class ErrorCount : ILogger<ErrorInterceptor>
    {
        public int Errors { get; private set; }

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Errors += logLevel >= LogLevel.Error ? 1 : 0;
    }

    /// <summary>One message, then the end or a failure.</summary>
    private sealed class Messages(Exception? failure) : IAsyncStreamReader<string>
    {
        private int _read;

        public string Current => "message";

        public Task<bool> MoveNext(CancellationToken cancellationToken) =>
            _read++ == 0 ? Task.FromResult(true) : failure is null ? Task.FromResult(false) : Task.FromException<bool>(failure);
    }

    private sealed class Call(CancellationToken gone = default) : ServerCallContext
    {
        protected override string MethodCore => "/federated.v1.UpdateService/Submit";

        protected override string HostCore => "localhost";

        protected override string PeerCore => "ipv4:127.0.0.1:1";

        protected override DateTime DeadlineCore => DateTime.MaxValue;

        protected override Metadata RequestHeadersCore { get; } = [];

        protected override CancellationToken CancellationTokenCore => gone;

        protected override Metadata ResponseTrailersCore { get; } = [];

        protected override Status StatusCore { get; set; }

        protected override WriteOptions? WriteOptionsCore { get; set; }

        protected override AuthContext AuthContextCore => new(null, []);

        protected override ContextPropagationToken CreatePropagationTokenCore(ContextPropagationOptions? options) => throw new NotSupportedException();

        protected override Task WriteResponseHeadersAsyncCore(Metadata responseHeaders) => Task.CompletedTask;
    }
}
