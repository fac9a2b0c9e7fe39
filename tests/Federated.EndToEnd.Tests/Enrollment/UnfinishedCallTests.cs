using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using Federated.Client.Identity;
using Federated.Shared.Protocol;
using Federated.Shared.Protos;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using ErrorCode = Federated.Shared.Protocol.ErrorCode;

namespace Federated.EndToEnd.Tests.Enrollment;

/// <summary>Calls that begin a message and never end it: who has no certificate gets an answer before the server keeps anything of it.</summary>
public sealed class UnfinishedCallTests(SecureServer server) : IClassFixture<SecureServer>
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("DeviceService/CheckIn")]
    [InlineData("DeviceService/ReportAbort")]
    [InlineData("TransferService/Download")]
    [InlineData("UpdateService/UploadStatus")]
    [InlineData("UpdateService/Submit")]
    [InlineData("GroupService/Exchange")]
    [InlineData("EnrollmentService/Renew")]
    [InlineData("EnrollmentService/Members")]
    public async Task Call_WithoutACertificate_IsRefusedBeforeItsMessageEnds(string method)
    {
        using SocketsHttpHandler handler = Stranger();

        await RefusesAsync(ErrorCode.NotEnrolled, handler, method, sentBytes: 0);
        await RefusesAsync(ErrorCode.NotEnrolled, handler, method, sentBytes: 100_000);
    }

    [Theory]
    [InlineData("EnrollmentService/Authority")]
    [InlineData("EnrollmentService/Enroll")]
    public async Task Call_OpenToEveryone_TakesNoLargeMessage(string method)
    {
        using SocketsHttpHandler handler = Stranger();

        await RefusesAsync(ErrorCode.LimitExceeded, handler, method, sentBytes: 16 << 10);
    }

    [Fact]
    public async Task Call_OfAnEnrolledDevice_TakesMessagesUpToTheLimit()
    {
        using DeviceIdentity device = await server.EnrollAsync("talkative");
        using GrpcChannel channel = server.ChannelAs(device.Security.Certificate());
        EnrollmentService.EnrollmentServiceClient calls = new(channel);

        // What is not known is passed over, so the message may be as long as any.
        RenewRequest request = new() { ProtocolVersion = 1 };
        byte[] message = [.. request.ToByteArray(), .. Padding(ProtocolLimits.MaxMessageBytes - request.CalculateSize())];
        Assert.Equal(ProtocolLimits.MaxMessageBytes, message.Length);
        Assert.NotEmpty((await calls.RenewAsync(RenewRequest.Parser.ParseFrom(message), cancellationToken: Cancelled)).Certificate);
    }

    private async Task RefusesAsync(ErrorCode code, SocketsHttpHandler handler, string method, int sentBytes)
    {
        using HttpMessageInvoker http = new(handler, disposeHandler: false);
        using HttpRequestMessage request = new(HttpMethod.Post, new Uri(server.Address, $"/federated.v1.{method}"))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new EndlessMessage(sentBytes),
        };
        request.Headers.Add("te", "trailers");
        int before = server.Logged(code.ToString());

        using HttpResponseMessage response = await http.SendAsync(request, Cancelled).WaitAsync(TimeSpan.FromSeconds(30), Cancelled);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("application/grpc", response.Content.Headers.ContentType?.MediaType);
        Assert.Equal([$"{(int)code}"], response.Headers.GetValues(ErrorCatalogue.TrailerName));
        Assert.Equal([$"{(int)ErrorCatalogue.For(code).Status}"], response.Headers.GetValues("grpc-status"));
        Assert.Equal(before + 1, server.Logged(code.ToString()));
    }

    // Field 15, of bytes.
    private static byte[] Padding(int lengthBytes)
    {
        using MemoryStream result = new();
        using CodedOutputStream output = new(result);
        output.WriteTag(15, WireFormat.WireType.LengthDelimited);
        output.WriteBytes(ByteString.CopyFrom(new byte[lengthBytes - 4]));
        output.Flush();
        return result.ToArray();
    }

#pragma warning disable CA5359 // Who attacks believes anybody.
    private static SocketsHttpHandler Stranger() => new()
    {
        SslOptions = new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = (_, _, _, _) => true },
    };
#pragma warning restore CA5359

    /// <summary>A message that is announced with 1 MiB, begun, and never ended.</summary>
    private sealed class EndlessMessage : HttpContent
    {
        private readonly int _sentBytes;

        public EndlessMessage(int sentBytes)
        {
            _sentBytes = sentBytes;
            Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
        }

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, default);

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
        {
            await stream.WriteAsync(new byte[] { 0, 0, 16, 0, 0 }, cancellationToken);
            await stream.WriteAsync(new byte[_sentBytes], cancellationToken);
            await stream.FlushAsync(cancellationToken);
            await Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
