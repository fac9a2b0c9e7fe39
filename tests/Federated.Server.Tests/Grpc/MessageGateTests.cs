using System.IO.Pipelines;
using Federated.Server.Grpc;
using Federated.Server.Identity;
using Federated.Server.Storage;
using Federated.Shared.Protocol;
using Federated.Testing;
using Grpc.AspNetCore.Server;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using ErrorCode = Federated.Shared.Protocol.ErrorCode;

namespace Federated.Server.Tests.Grpc;

/// <summary>A message has to arrive in time and within its limit; what comes after it, and what streams, has no clock.</summary>
public sealed class MessageGateTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly FileBlobStore _blobs;
    private readonly DeviceRegistry _registry;
    private readonly FakeTimeProvider _time = new();
    private readonly Pipe _body = new(new PipeOptions(pauseWriterThreshold: 16 << 20, useSynchronizationContext: false));
    private readonly TaskCompletionSource _answered = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private byte[]? _message;

    public MessageGateTests()
    {
        _blobs = new FileBlobStore(_folder.Path, new FileBlobStoreOptions(), TimeProvider.System);
        _registry = new DeviceRegistry(new RegistryStore(_blobs), TimeProvider.System);
    }

    [Fact]
    public async Task Unary_MessageInPieces_IsPassedOnWhole()
    {
        HttpContext context = Request(MethodType.Unary, "DeviceService/CheckIn");
        _answered.SetResult();

        Task call = Gate().InvokeAsync(context);
        await SendAsync(100);
        Assert.Null(_message);
        await SendAsync(50);
        await _body.Writer.CompleteAsync();
        await call;

        Assert.Equal(150, _message?.Length);
        Assert.Empty(context.Response.Headers.GrpcStatus.ToString());
    }

    [Theory]
    [InlineData(MethodType.Unary)]
    [InlineData(MethodType.ServerStreaming)]
    public async Task Message_ThatNeverEnds_IsRefusedWhenItsTimeIsOver(MethodType type)
    {
        HttpContext context = Request(type, "DeviceService/CheckIn");

        Task call = Gate().InvokeAsync(context);
        await SendAsync(100);
        _time.Advance(MessageGate.Patience - TimeSpan.FromSeconds(1));
        Assert.False(call.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(1));
        await call;

        AssertRefused(ErrorCode.Overloaded, context);
    }

    [Fact]
    public async Task Unary_HeldAfterItsMessage_HasNoLimit()
    {
        HttpContext context = Request(MethodType.Unary, "DeviceService/CheckIn");
        await SendAsync(100);
        await _body.Writer.CompleteAsync();

        Task call = Gate().InvokeAsync(context);
        _time.Advance(TimeSpan.FromHours(1));
        Assert.False(call.IsCompleted);
        _answered.SetResult();
        await call;

        Assert.Equal(100, _message?.Length);
        Assert.False(context.RequestAborted.IsCancellationRequested);
    }

    [Fact]
    public async Task ClientStreaming_MessagesUnderWay_BeginsAtOnceAndHasNoLimit()
    {
        HttpContext context = Request(MethodType.ClientStreaming, "UpdateService/Submit");
        _answered.SetResult();

        Task call = Gate().InvokeAsync(context);
        await SendAsync(100);
        _time.Advance(TimeSpan.FromHours(1));
        await SendAsync(2 * ProtocolLimits.MaxMessageBytes);
        await _body.Writer.CompleteAsync();
        await call;

        Assert.Equal(100 + (2 * ProtocolLimits.MaxMessageBytes), _message?.Length);
    }

    [Theory]
    [InlineData("EnrollmentService/Authority", MessageGate.MaxOpenBytes)]
    [InlineData("EnrollmentService/Enroll", MessageGate.MaxOpenBytes)]
    [InlineData("EnrollmentService/Renew", ProtocolLimits.MaxMessageBytes + ProtocolLimits.MessagePrefixBytes)]
    [InlineData("DeviceService/CheckIn", ProtocolLimits.MaxMessageBytes + ProtocolLimits.MessagePrefixBytes)]
    public async Task Message_AboveTheLimitOfItsCall_IsRefusedBeforeItsEnd(string method, int limit)
    {
        HttpContext context = Request(MethodType.Unary, method);

        Task call = Gate().InvokeAsync(context);
        await SendAsync(limit);
        Assert.False(call.IsCompleted);
        await SendAsync(1);
        await call;

        AssertRefused(ErrorCode.LimitExceeded, context);
    }

    public void Dispose()
    {
        _registry.Dispose();
        _blobs.Dispose();
        _folder.Dispose();
    }

    private MessageGate Gate() => new(
        async context =>
        {
            using MemoryStream message = new();
            await context.Request.BodyReader.CopyToAsync(message, TestContext.Current.CancellationToken);
            _message = message.ToArray();
            await _answered.Task;
        },
        new CallRefusals(new RefusedCalls(TimeProvider.System), _registry, NullLogger<CallRefusals>.Instance),
        _time);

    private DefaultHttpContext Request(MethodType type, string method)
    {
        string[] parts = method.Split('/');
        Marshaller<string> text = Marshallers.StringMarshaller;
        GrpcMethodMetadata metadata = new(typeof(MessageGateTests), new Method<string, string>(type, $"federated.v1.{parts[0]}", parts[1], text, text));
        DefaultHttpContext context = new();
        context.SetEndpoint(new Endpoint(null, new EndpointMetadataCollection(metadata), method));
        context.Features.Set<IRequestBodyPipeFeature>(new Body(_body.Reader));
        return context;
    }

    private async Task SendAsync(int lengthBytes) =>
        await _body.Writer.WriteAsync(new byte[lengthBytes], TestContext.Current.CancellationToken);

    private void AssertRefused(ErrorCode code, HttpContext context)
    {
        Assert.Null(_message);
        Assert.Equal($"{(int)ErrorCatalogue.For(code).Status}", context.Response.Headers.GrpcStatus.ToString());
        Assert.Equal($"{(int)code}", context.Response.Headers[ErrorCatalogue.TrailerName].ToString());
        Assert.NotEmpty(context.Response.Headers.GrpcMessage.ToString());
    }

    private sealed class Body(PipeReader reader) : IRequestBodyPipeFeature
    {
        public PipeReader Reader => reader;
    }
}
