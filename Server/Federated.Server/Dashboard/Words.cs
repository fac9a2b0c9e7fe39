using System.Text;

namespace Federated.Server.Dashboard;

/// <summary>Puts the names of values into words.</summary>
internal static class Words
{
    /// <summary>simulated-loss becomes "simulated loss".</summary>
    public static string Of(string name) => name.Replace('-', ' ');

    /// <summary>A value of an enumeration in small letters.</summary>
    public static string Lower<T>(T value)
        where T : struct, Enum => value.ToString().ToLowerInvariant();

    /// <summary>learningRate becomes "Learning rate".</summary>
    public static string Title(string key)
    {
        StringBuilder text = new(key.Length + 4);
        foreach (char letter in key)
        {
            if (char.IsAsciiLetterUpper(letter) && text.Length > 0)
            {
                text.Append(' ');
            }

            text.Append(text.Length == 0 ? char.ToUpperInvariant(letter) : char.ToLowerInvariant(letter));
        }

        return text.ToString();
    }

    /// <summary>"a", "a and b", "a, b and 3 more".</summary>
    public static string Join(IReadOnlyList<string> names, int most = 3) => names.Count switch
    {
        0 => "",
        1 => names[0],
        _ when names.Count <= most => $"{string.Join(", ", names.Take(names.Count - 1))} and {names[^1]}",
        _ => $"{string.Join(", ", names.Take(most))} and {names.Count - most} more",
    };
}
