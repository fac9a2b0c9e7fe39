using System.CommandLine;
using Federated.Server.Access;
using Federated.Server.Cli;
using Federated.Testing;

namespace Federated.Server.Tests.Cli;

/// <summary>What is wrong with a file of access is told by its key, and nothing of a secret is repeated.</summary>
public sealed class AccessArgumentsTests : IDisposable
{
    private const string Secret = "hunter2-hunter2-hunter2-hunter2";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("""{"authority":"https://idp.example.org","clientId":"x","clientSecrt":"SECRET"}""", "clientSecrt: the unknown key with value (not shown) is not allowed; allowed is authority, clientId, clientSecret, roleClaim, operatorValue, viewerValue; did you mean clientSecret?")]
    [InlineData("""{"authority":"https://idp.example.org","clientId":"x","clientSecret":["SECRET"]}""", "clientSecret: (not shown) is not allowed; allowed is text")]
    [InlineData("""{"clientId":"x","clientSecret":"SECRET"}""", "authority: a missing key is not allowed; allowed is an address")]
    [InlineData("""{"authority":"idp","clientId":"x","clientSecret":"SECRET"}""", "authority: \"idp\" is not allowed; allowed is an address like https://HOST/; http on loopback alone")]
    [InlineData("""{"authority":"http://idp.example.org","clientId":"x"}""", "authority: \"http://idp.example.org\" is not allowed")]
    [InlineData("""{"clientSecret":SECRET}""", "(root): the text at line 1, column 17 is not allowed")]
    [InlineData("null", "(root): (not shown) is not allowed; allowed is an object with authority")]
    public void OptionsOf_ProviderThatIsRefused_NamesTheKeyAndShowsNoValue(string text, string says)
    {
        string file = _folder.Write("oidc.json", System.Text.Encoding.UTF8.GetBytes(text.Replace("SECRET", Secret, StringComparison.Ordinal)));

        string message = Refusal("--oidc", file);

        Assert.StartsWith($"--oidc {file}: {says}", message, StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, message, StringComparison.Ordinal);
    }

    [Fact]
    public void OptionsOf_Provider_IsRead()
    {
        string file = _folder.Write("oidc.json", """{"authority":"http://127.0.0.1:5000/","clientId":"x","clientSecret":"s", /* no others */ }"""u8.ToArray());

        OpenIdConnectAccess provider = AccessArguments.OptionsOf(Parse("--oidc", file)).OpenIdConnect!;

        Assert.Equal(("x", "s", "roles"), (provider.ClientId, provider.ClientSecret, provider.RoleClaim));
    }

    [Theory]
    [InlineData("--operator-token-file")]
    [InlineData("--viewer-token-file")]
    [InlineData("--token-file")]
    public void OptionsOf_TokenInThePlaceOfItsFile_IsNotRepeated(string option)
    {
        string message = Refusal(option, Secret);

        Assert.StartsWith(option, message, StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, message, StringComparison.Ordinal);
    }

    [Fact]
    public void OptionsOf_FileWithMoreThanAToken_IsRefusedWithoutShowingIt()
    {
        string file = _folder.Write("tokens", System.Text.Encoding.UTF8.GetBytes($"{Secret}\n{Secret}\n"));

        Assert.Equal("The file of --operator-token-file holds more than a token, which is one line of ASCII characters; it is not shown here.", Refusal("--operator-token-file", file));
    }

    private static string Refusal(params string[] arguments) =>
        Assert.Throws<CommandException>(() => AccessArguments.OptionsOf(Parse(arguments))).Message;

    private static ParseResult Parse(params string[] arguments) => ServerCommandLine.Build().Parse(["serve", .. arguments]);
}
