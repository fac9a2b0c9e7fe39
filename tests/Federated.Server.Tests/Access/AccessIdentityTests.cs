using System.Security.Claims;
using Federated.Server.Access;
using Federated.Server.Storage;
using Federated.Testing;
using Microsoft.Extensions.Time.Testing;

namespace Federated.Server.Tests.Access;

public sealed class AccessIdentityTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 5, 1, 12, 0, 0, TimeSpan.Zero));
    private readonly FileBlobStore _blobs;
    private readonly AccessTokens _tokens;

    public AccessIdentityTests()
    {
        _blobs = new FileBlobStore(_folder.Path, new FileBlobStoreOptions { FlushToDisk = false }, _time);
        _tokens = new AccessTokens(_blobs, _time);
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _blobs.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Stands_LoginAtTheProvider_UntilItsEnd()
    {
        ClaimsPrincipal person = AccessIdentity.Of("ada", AccessRole.Operator, _time.GetUtcNow() + TimeSpan.FromHours(1));

        _time.Advance(TimeSpan.FromMinutes(59));
        Assert.True(AccessIdentity.Stands(person, _tokens, _time));
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.False(AccessIdentity.Stands(person, _tokens, _time));
    }

    [Fact]
    public async Task Stands_LoginByToken_UntilTheTokenIsRevoked()
    {
        (_, AccessToken token) = await _tokens.CreateAsync("wall", AccessRole.Viewer, null, Stop);
        ClaimsPrincipal person = AccessIdentity.Of(token, AccessPolicies.CookieScheme);

        Assert.True(AccessIdentity.Stands(person, _tokens, _time));
        await _tokens.RevokeAsync(token.Hash, Stop);
        Assert.False(AccessIdentity.Stands(person, _tokens, _time));
    }

    [Fact]
    public void Stands_NothingToRestOn_OnAnOpenPortAlone()
    {
        Assert.True(AccessIdentity.Stands(AccessIdentity.Of("this machine", AccessRole.Operator, AccessPolicies.OpenScheme), _tokens, _time));
        Assert.False(AccessIdentity.Stands(AccessIdentity.Of("ada", AccessRole.Operator, AccessPolicies.OpenIdConnectScheme), _tokens, _time));
        Assert.False(AccessIdentity.Stands(new ClaimsPrincipal(new ClaimsIdentity()), _tokens, _time));
        Assert.False(AccessIdentity.Stands(null, _tokens, _time));
    }
}
