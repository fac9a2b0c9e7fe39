using System.Net;
using Federated.Client.Tests.Scene;
using Federated.Client.Transport;
using Federated.Shared.Models;
using Federated.Shared.Protocol;
using Federated.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using ProtocolViolationException = Federated.Shared.Protocol.ProtocolViolationException;

namespace Federated.Client.Tests.Transport;

public sealed class DirectStoreTests : IAsyncLifetime
{
    private static readonly byte[] _object = [.. Enumerable.Range(0, 200_000).Select(i => (byte)(i % 241))];

    private readonly FakeTimeProvider _time = new();
    private readonly ByteCounter _counter = new();
    private readonly byte[] _received = new byte[_object.Length];
    private readonly List<string> _asked = [];
    private WebApplication _application = null!;
    private Func<HttpContext, long, Task> _answer = AnswerAsync;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(0)]
    [InlineData(123_456)]
    public async Task ReadAsync_Rest_IsTakenAndCounted(int offset)
    {
        using DirectStore store = Open();
        using MemorySink sink = Sink(offset);

        Assert.Equal(_object.Length, await ReadAsync(store, sink, offset));

        Assert.True(sink.Verify());
        Assert.Equal((0, _object.Length - offset), (_counter.Up, _counter.Down));
        Assert.Equal([$"/object bytes={offset}-"], _asked);
        Assert.True(store.IsTrusted);
    }

    [Theory]
    [InlineData("redirect")]
    [InlineData("missing")]
    [InlineData("whole instead of the rest")]
    [InlineData("another length")]
    [InlineData("another offset")]
    [InlineData("compressed")]
    public async Task ReadAsync_AnswerThatIsNotTheRest_IsNotTakenAndTheStoreIsLeftAloneForAWhile(string answer)
    {
        _answer = (context, offset) => answer switch
        {
            "redirect" => RedirectAsync(context),
            "missing" => StatusAsync(context, 404),
            "whole instead of the rest" => WriteAsync(context, 200, _object, null),
            "another length" => WriteAsync(context, 206, _object[(int)offset..], $"bytes {offset}-{_object.Length - 1}/{_object.Length + 1}"),
            "another offset" => WriteAsync(context, 206, _object[(int)offset..], $"bytes {offset + 1}-{_object.Length - 1}/{_object.Length}"),
            _ => WriteAsync(context, 206, _object[(int)offset..], $"bytes {offset}-{_object.Length - 1}/{_object.Length}", "gzip"),
        };
        using DirectStore store = Open();
        using MemorySink sink = Sink(1000);

        Assert.Equal(1000, await ReadAsync(store, sink, 1000));

        Assert.Equal(1000, sink.Position);
        Assert.Single(_asked);
        Assert.Equal(0, _counter.Down);
        Assert.False(store.IsTrusted);
        _time.Advance(TimeSpan.FromMinutes(10.1));
        Assert.True(store.IsTrusted);
    }

    [Theory]
    [InlineData("http://store.example/object")]
    [InlineData("ftp://127.0.0.1/object")]
    [InlineData("https://user:secret@127.0.0.1/object")]
    [InlineData("/object")]
    [InlineData("")]
    public async Task ReadAsync_AddressThatIsNotSafe_IsNotAsked(string address)
    {
        using DirectStore store = Open();
        using MemorySink sink = Sink(0);

        Assert.Equal(0, await store.ReadAsync(address, 0, _object.Length, sink, TimeSpan.FromSeconds(30), _counter, Ct));
    }

    [Theory]
    [InlineData(true, "localhost", true)]
    [InlineData(false, "localhost", false)]
    [InlineData(true, "elsewhere.example", false)]
    public async Task ReadAsync_OverHttps_BelievesTheSystemsAuthoritiesForTheStoresName(bool known, string name, bool isRead)
    {
        using StoreCertificate certificate = new(name);
        using StoreCertificate other = new("localhost");
        using TemporaryFolder folder = new();
        string bundle = folder.Write("authorities.pem", System.Text.Encoding.ASCII.GetBytes((known ? certificate : other).AuthorityPem));
        bool showedCertificate = false;
        await using WebApplication secure = Application(listen => listen.UseHttps(https =>
        {
            https.ServerCertificate = certificate.Server;
            https.ClientCertificateMode = Microsoft.AspNetCore.Server.Kestrel.Https.ClientCertificateMode.AllowCertificate;
            https.AllowAnyClientCertificate();
        }));
        secure.Run(context =>
        {
            showedCertificate |= context.Connection.ClientCertificate is not null;
            return AnswerAsync(context, 0);
        });
        await secure.StartAsync(Ct);
        using DirectStore store = new(new GrpcLinkOptions(), new TransferRate(0, _time), _time, () => SystemAuthorities.PolicyOf([bundle]));
        using MemorySink sink = Sink(0);
        UriBuilder address = new(secure.Urls.Single()) { Host = "localhost", Path = "object" };

        long reached = await store.ReadAsync(address.Uri.AbsoluteUri, 0, _object.Length, sink, TimeSpan.FromSeconds(30), _counter, Ct);

        Assert.Equal(isRead ? _object.Length : 0, reached);
        Assert.False(showedCertificate);
    }

    [Fact]
    public async Task ReadAsync_ConnectionThatBreaks_TellsHowFarItCame()
    {
        _answer = async (context, offset) =>
        {
            context.Response.StatusCode = 206;
            context.Response.ContentLength = _object.Length;
            context.Response.Headers.ContentRange = $"bytes 0-{_object.Length - 1}/{_object.Length}";
            await context.Response.Body.WriteAsync(_object.AsMemory(0, 70_000), context.RequestAborted);
            await context.Response.Body.FlushAsync(context.RequestAborted);

            // A reset throws away what the other side has not read yet.
            while (_counter.Down < 70_000)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, context.RequestAborted);
            }

            context.Abort();
        };
        using DirectStore store = Open();
        using MemorySink sink = Sink(0);

        Assert.Equal(70_000, await ReadAsync(store, sink, 0));

        Assert.Equal((70_000, 70_000), (sink.Position, _counter.Down));
        Assert.True(store.IsTrusted);
    }

    [Fact]
    public async Task ReadAsync_SinkThatRefuses_SaysSo()
    {
        using DirectStore store = Open();
        using MemorySink sink = new(ContentHash.Of(_object), "object", limitBytes: 100_000);

        ProtocolViolationException e = await Assert.ThrowsAsync<ProtocolViolationException>(() => ReadAsync(store, sink, 0));

        Assert.Equal(ErrorCode.LimitExceeded, e.Code);
    }

    [Fact]
    public async Task ReadAsync_Cancelled_Ends()
    {
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        _answer = async (context, _) =>
        {
            await stop.CancelAsync();
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted);
        };
        using DirectStore store = Open();
        using MemorySink sink = Sink(0);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => store.ReadAsync(Address, 0, _object.Length, sink, TimeSpan.FromSeconds(30), _counter, stop.Token));
    }

    [Fact]
    public async Task ReadAsync_WithARate_TakesItsTime()
    {
        const long bytesPerSecond = 400_000;
        using DirectStore store = new(
            new GrpcLinkOptions { MaxBytesPerSecond = bytesPerSecond }, new TransferRate(bytesPerSecond, TimeProvider.System), TimeProvider.System);
        using MemorySink sink = Sink(0);
        long began = TimeProvider.System.GetTimestamp();

        Assert.Equal(_object.Length, await ReadAsync(store, sink, 0));

        TimeSpan took = TimeProvider.System.GetElapsedTime(began);
        Assert.True(took > TimeSpan.FromSeconds(0.45), $"{_object.Length} bytes at {bytesPerSecond} a second took {took.TotalSeconds:F2} s.");
    }

    public async ValueTask InitializeAsync()
    {
        _application = Application(_ => { });
        _application.Run(context =>
        {
            string range = context.Request.Headers.Range.ToString();
            _asked.Add($"{context.Request.Path} {range}");
            return _answer(context, long.Parse(range["bytes=".Length..^1], System.Globalization.CultureInfo.InvariantCulture));
        });
        await _application.StartAsync(Ct);
    }

    public async ValueTask DisposeAsync()
    {
        await _application.StopAsync(new CancellationToken(canceled: true));
        await _application.DisposeAsync();
    }

    private string Address => _application.Urls.Single() + "/object";

    private static WebApplication Application(Action<ListenOptions> configure)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen =>
        {
            listen.Protocols = HttpProtocols.Http1;
            configure(listen);
        }));
        return builder.Build();
    }

    private static Task AnswerAsync(HttpContext context, long offset) =>
        WriteAsync(context, 206, _object[(int)offset..], $"bytes {offset}-{_object.Length - 1}/{_object.Length}");

    private static Task RedirectAsync(HttpContext context)
    {
        context.Response.Redirect("/elsewhere");
        return Task.CompletedTask;
    }

    private static Task StatusAsync(HttpContext context, int status)
    {
        context.Response.StatusCode = status;
        return Task.CompletedTask;
    }

    private static async Task WriteAsync(HttpContext context, int status, byte[] body, string? range, string? encoding = null)
    {
        context.Response.StatusCode = status;
        context.Response.ContentLength = body.Length;
        context.Response.Headers.ContentRange = range;
        context.Response.Headers.ContentEncoding = encoding;
        await context.Response.Body.WriteAsync(body, context.RequestAborted);
    }

    private DirectStore Open() => new(new GrpcLinkOptions(), new TransferRate(0, _time), _time);

    private Task<long> ReadAsync(DirectStore store, MemorySink sink, int offset) =>
        store.ReadAsync(Address, offset, _object.Length, sink, TimeSpan.FromSeconds(30), _counter, Ct);

    private MemorySink Sink(int offset)
    {
        MemorySink sink = new(ContentHash.Of(_object), "object", _received);
        sink.Accept(0, _object.Length, _object.AsSpan(0, offset));
        return sink;
    }
}
