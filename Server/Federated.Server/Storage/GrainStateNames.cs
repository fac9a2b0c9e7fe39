using System.Globalization;
using System.Text;
using Federated.Shared.Models;

namespace Federated.Server.Storage;

/// <summary>
/// Blob names of grain state: <c>grains/{state}/{grain type}/{grain key}.json</c>. Different grains get different names, also where files
/// do not tell upper from lower case: every UTF-8 byte outside a-z, 0-9, '-' and an inner '.' becomes '_' and two hexadecimal digits.
/// </summary>
internal static class GrainStateNames
{
    private const int MaxPartLength = 120;
    private const int KeptLength = 50;

    public static string BlobName(string stateName, GrainId grainId) =>
        $"grains/{Safe(stateName)}/{Safe(grainId.Type.ToString()!)}/{Safe(grainId.Key.ToString()!)}.json";

    private static string Safe(string part)
    {
        byte[] utf8 = Encoding.UTF8.GetBytes(part);
        StringBuilder safe = new(utf8.Length);
        for (int i = 0; i < utf8.Length; i++)
        {
            char c = (char)utf8[i];
            bool isInnerDot = c == '.' && i > 0 && i < utf8.Length - 1;
            _ = char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-' || isInnerDot
                ? safe.Append(c)
                : safe.Append(CultureInfo.InvariantCulture, $"_{utf8[i]:x2}");
        }

        // "__" begins no escape, so neither form below can be some other part's.
        return safe.Length switch
        {
            0 => "__",
            <= MaxPartLength => safe.ToString(),
            _ => $"{safe.ToString(0, KeptLength)}__{ContentHash.Of(utf8)}",
        };
    }
}
