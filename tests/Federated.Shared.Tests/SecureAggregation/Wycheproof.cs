using System.Text.Json;

namespace Federated.Shared.Tests.SecureAggregation;

/// <summary>The files of <c>tests/Golden/wycheproof</c>.</summary>
internal static class Wycheproof
{
    /// <summary>Every test of a file with the group it stands in.</summary>
    public static IEnumerable<(JsonElement Group, JsonElement Test)> Read(string name)
    {
        JsonDocument file = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Golden", "wycheproof", name)));
        return file.RootElement.GetProperty("testGroups").EnumerateArray()
            .SelectMany(group => group.GetProperty("tests").EnumerateArray().Select(test => (group, test)));
    }

    public static byte[] Bytes(this JsonElement test, string property) => Convert.FromHexString(Even(test.GetProperty(property).GetString()!));

    public static string Text(this JsonElement test, string property) => test.GetProperty(property).GetString()!;

    private static string Even(string hex) => hex.Length % 2 == 0 ? hex : "0" + hex;
}
