using System.CommandLine;
using System.Globalization;
using Federated.Server.Api;
using Federated.Server.Identity;
using Spectre.Console;

namespace Federated.Server.Cli;

/// <summary><c>devices</c>: enrollment tokens, enrolled devices, revocation.</summary>
internal static class DevicesCommand
{
    /// <summary>The verbs, each calling the API through <paramref name="run"/>.</summary>
    public static Command Build(Option<Uri> server, Option<bool> json, IApiRun run)
    {
        Argument<string> id = new("device") { Description = "The device's name." };
        Command list = new("list", "List the devices that are enrolled or have checked in since the server started, and below them the last day's refused calls that concern one.") { server, json };
        list.SetAction((parsed, ct) => run.RunAsync(parsed, api => api.DevicesAsync(ct), DeviceTable.PrintAll));
        Command show = new("show", "Show a device, its last rounds, errors and refused calls.") { id, server, json };
        show.SetAction((parsed, ct) => run.RunAsync(parsed, api => api.DeviceAsync(parsed.GetValue(id)!, ct), DeviceTable.Print));
        Command revoke = new("revoke", "Refuse every later call of a device.") { id, server, json };
        revoke.SetAction((parsed, ct) => run.RunAsync(parsed, api => api.RevokeDeviceAsync(parsed.GetValue(id)!, ct), Print));
        Command refused = new("refused", "List refused calls that no enrolled device can be named for; 'show' has those of a device.") { server, json };
        refused.SetAction((parsed, ct) => run.RunAsync(parsed, api => api.RefusedCallsAsync(ct), DeviceTable.PrintStrangers));
        Argument<string[]> labels = new("labels") { Description = "NAME=VALUE; they replace the labels the device had.", Arity = ArgumentArity.ZeroOrMore };
        Command label = new("label", "Set the labels of a device.") { id, labels, server, json };
        label.SetAction((parsed, ct) => run.RunAsync(
            parsed, api => api.LabelDeviceAsync(parsed.GetValue(id)!, Labels(parsed.GetValue(labels) ?? []), ct), Print));
        return new Command("devices", "Enroll, look at and revoke devices.") { Tokens(server, json, run), list, show, refused, revoke, label };
    }

    private static Command Tokens(Option<Uri> server, Option<bool> json, IApiRun run)
    {
        Option<string?> device = new("--device-id") { Description = "The only device that may use it; its key is replaced when it is enrolled already." };
        Option<string?> population = new("--population") { Description = "The population of the device." };
        Option<string[]> labels = new("--label") { Description = "A label the device gets, NAME=VALUE; may be given several times." };
        Option<double> hours = new("--hours") { Description = "How long it may be used.", DefaultValueFactory = _ => 24 };
        Command create = new("create", "Make a token with which one device can enroll. It is shown once.") { device, population, labels, hours, server, json };
        create.SetAction((parsed, ct) => run.RunAsync(
            parsed,
            api => api.CreateTokenAsync(
                new TokenRequest(
                    parsed.GetValue(hours) * 3600, parsed.GetValue(device), parsed.GetValue(population), Labels(parsed.GetValue(labels) ?? [])),
                ct),
            PrintToken));
        Command list = new("list", "List the tokens; the secret is not known any more.") { server, json };
        list.SetAction((parsed, ct) => run.RunAsync(parsed, api => api.TokensAsync(ct), PrintTokens));
        return new Command("tokens", "Tokens for enrollment.") { create, list };
    }

    private static Dictionary<string, string> Labels(string[] texts)
    {
        Dictionary<string, string> labels = new(StringComparer.Ordinal);
        foreach (string text in texts)
        {
            int equals = text.IndexOf('=', StringComparison.Ordinal);
            if (equals < 1 || !labels.TryAdd(text[..equals], text[(equals + 1)..]))
            {
                throw new CommandException($"The label '{text}' is not NAME=VALUE, or its name occurs twice.");
            }
        }

        return labels;
    }

    private static void PrintToken(NewToken token)
    {
        Console.Out.WriteLine(token.Token);
        Console.Error.WriteLine($"Valid until {Time(token.ExpiresAt)}, for one device: federated-client enroll --server {token.Server} --token TOKEN --state DIR");
    }

    private static void PrintTokens(IReadOnlyList<TokenRecord> tokens)
    {
        Table table = new Table().Border(TableBorder.Rounded).AddColumns("token", "made", "ends", "for", "used by");
        foreach (TokenRecord token in tokens)
        {
            table.AddRow(
                token.Hash[..12],
                Time(token.CreatedAt),
                Time(token.ExpiresAt),
                Markup.Escape(token.DeviceId ?? token.Population ?? "any"),
                Markup.Escape(token.UsedBy ?? "–"));
        }

        AnsiConsole.Write(table);
    }

    private static void Print(DeviceEnrollment device) => PrintAll([device]);

    private static void PrintAll(IReadOnlyList<DeviceEnrollment> devices)
    {
        Table table = new Table().Border(TableBorder.Rounded).AddColumns("device", "population", "labels", "enrolled", "certificate ends", "state");
        foreach (DeviceEnrollment device in devices)
        {
            string state = device.RevokedAt is { } at ? $"revoked {Time(at)}" : "enrolled";
            table.AddRow(
                Markup.Escape(device.DeviceId),
                Markup.Escape(device.Population),
                Markup.Escape(string.Join(' ', device.Labels.Select(label => $"{label.Key}={label.Value}"))),
                Time(device.EnrolledAt),
                Time(device.CertificateEndsAt),
                state);
        }

        AnsiConsole.Write(table);
    }

    private static string Time(DateTimeOffset time) => time.ToString("u", CultureInfo.InvariantCulture);
}

/// <summary>Calls the API that a command line names, and prints what comes back as a table or as JSON.</summary>
internal interface IApiRun
{
    /// <summary>Runs one call and gives the exit code.</summary>
    Task<int> RunAsync<T>(ParseResult parsed, Func<ServerApiClient, Task<T>> call, Action<T> print);
}
