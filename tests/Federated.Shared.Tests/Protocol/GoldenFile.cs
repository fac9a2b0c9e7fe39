namespace Federated.Shared.Tests.Protocol;

/// <summary>Files of <c>tests/Golden</c>: hexadecimal digits, white space and <c>#</c> comments to the end of a line.</summary>
internal static class GoldenFile
{
    public static byte[] Hex(string name) => Convert.FromHexString(
        string.Concat(File.ReadLines(PathOf(name)).Select(line => line.Split('#')[0]).SelectMany(text => text).Where(c => !char.IsWhiteSpace(c))));

    public static byte[] Bytes(string name) => File.ReadAllBytes(PathOf(name));

    private static string PathOf(string name) => Path.Combine(AppContext.BaseDirectory, "Golden", name);
}
