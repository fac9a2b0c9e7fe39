using System.CommandLine;
using System.Globalization;
using Federated.Server.Access;
using Spectre.Console;

namespace Federated.Server.Cli;

/// <summary><c>access</c>: tokens for people and programs that use the API and the dashboard.</summary>
internal static class AccessCommand
{
    /// <summary>The verbs, each calling the API through <paramref name="run"/>.</summary>
    public static Command Build(Option<Uri> server, Option<bool> json, IApiRun run)
    {
        Argument<string> name = new("name") { Description = "Whose token it is." };
        Option<AccessRole> role = new("--role") { Description = "viewer or operator.", DefaultValueFactory = _ => AccessRole.Viewer };
        Option<double?> days = new("--days") { Description = "How long it holds; for ever unless given." };
        Command create = new("create", "Make an access token. It is shown once.") { name, role, days, server, json };
        create.SetAction((parsed, ct) => run.RunAsync(
            parsed,
            api => api.CreateAccessTokenAsync(new AccessTokenRequest(parsed.GetValue(name)!, parsed.GetValue(role), parsed.GetValue(days) * 86_400), ct),
            created => Console.Out.WriteLine(created.Text)));
        Command list = new("list", "List the access tokens; their texts are not known any more.") { server, json };
        list.SetAction((parsed, ct) => run.RunAsync(parsed, api => api.AccessTokensAsync(ct), Print));
        Argument<string> hash = new("hash") { Description = "The token's hash, or its first 8 characters." };
        Command revoke = new("revoke", "End an access token and the logins that rest on it.") { hash, server, json };
        revoke.SetAction((parsed, ct) => run.RunAsync(parsed, api => api.RevokeAccessTokenAsync(parsed.GetValue(hash)!, ct), token => Print([token])));
        return new Command("access", "Access tokens for people and programs.") { create, list, revoke };
    }

    private static void Print(IReadOnlyList<AccessToken> tokens)
    {
        Table table = new Table().Border(TableBorder.Rounded).AddColumns("token", "name", "role", "made", "ends");
        foreach (AccessToken token in tokens)
        {
            table.AddRow(
                token.Hash[..12],
                Markup.Escape(token.Name),
                AccessPolicies.NameOf(token.Role),
                Time(token.CreatedAt),
                token.Given ? "with the server" : token.ExpiresAt is { } end ? Time(end) : "never");
        }

        AnsiConsole.Write(table);
    }

    private static string Time(DateTimeOffset time) => time.ToString("u", CultureInfo.InvariantCulture);
}
