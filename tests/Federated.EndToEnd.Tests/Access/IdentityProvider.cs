using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Federated.EndToEnd.Tests.Access;

/// <summary>A small OpenID Connect provider on loopback: configuration, keys, and tokens for a code, checked against the challenge of PKCE.</summary>
internal sealed class IdentityProvider : IAsyncDisposable
{
    private const string ClientId = "federated";

    private readonly RSA _key = RSA.Create(2048);
    private readonly WebApplication _app;

    private IdentityProvider(WebApplication app) => _app = app;

    public Uri Address => new(_app.Urls.Single());

    /// <summary>What the next token says of roles.</summary>
    public string[] Roles { get; set; } = [];

    /// <summary>What the next token answers to, from the request that began the login.</summary>
    public string Nonce { get; set; } = "";

    /// <summary>The challenge that the verifier must fit.</summary>
    public string Challenge { get; set; } = "";

    public static async Task<IdentityProvider> StartAsync()
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        builder.Services.AddRoutingCore();
        WebApplication app = builder.Build();
        IdentityProvider provider = new(app);
        app.Run(provider.AnswerAsync);
        await app.StartAsync(TestContext.Current.CancellationToken);
        return provider;
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _key.Dispose();
    }

    private async Task AnswerAsync(HttpContext context)
    {
        object? answer = context.Request.Path.Value switch
        {
            "/.well-known/openid-configuration" => new
            {
                issuer = Address.ToString(),
                authorization_endpoint = new Uri(Address, "authorize"),
                token_endpoint = new Uri(Address, "token"),
                jwks_uri = new Uri(Address, "keys"),
                response_types_supported = new[] { "code" },
                subject_types_supported = new[] { "public" },
                id_token_signing_alg_values_supported = new[] { "RS256" },
            },
            "/keys" => Keys(),
            "/token" => Tokens(await context.Request.ReadFormAsync()),
            _ => null,
        };
        context.Response.StatusCode = answer is null ? StatusCodes.Status400BadRequest : StatusCodes.Status200OK;
        context.Response.ContentType = "application/json";
        await context.Response.WriteAsync(JsonSerializer.Serialize(answer));
    }

    private object Keys()
    {
        RSAParameters key = _key.ExportParameters(includePrivateParameters: false);
        return new { keys = new[] { new { kty = "RSA", use = "sig", alg = "RS256", kid = "k", n = Base64Url.EncodeToString(key.Modulus), e = Base64Url.EncodeToString(key.Exponent) } } };
    }

    private object? Tokens(IFormCollection form)
    {
        string fits = Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(form["code_verifier"].ToString())));
        if (form["code"] != "the-code" || fits != Challenge)
        {
            return null;
        }

        long now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        string header = Encoded(new { alg = "RS256", kid = "k", typ = "JWT" });
        string claims = Encoded(new { iss = Address.ToString(), aud = ClientId, sub = "u-1", preferred_username = "ada", nonce = Nonce, iat = now, exp = now + 300, roles = Roles });
        string signature = Base64Url.EncodeToString(_key.SignData(Encoding.ASCII.GetBytes($"{header}.{claims}"), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));
        return new { access_token = "unused", token_type = "Bearer", id_token = $"{header}.{claims}.{signature}" };
    }

    private static string Encoded(object value) => Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(value));
}
