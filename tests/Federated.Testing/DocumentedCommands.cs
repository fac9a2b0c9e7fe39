using System.Text;

namespace Federated.Testing;

/// <summary>Finds the command lines that the documents tell people to type.</summary>
public static class DocumentedCommands
{
    /// <summary>Arguments of every command line of a program in the fenced blocks of README.md, CONTRIBUTING.md and docs/*.md.</summary>
    /// <param name="spellings">What the lines begin with, as <c>sim</c> or <c>dotnet run --project X --</c>; of several that fit the first counts.</param>
    /// <returns>Where the line stands, as <c>README.md:53</c>, and its arguments without the program; lines with an ellipsis are left out.</returns>
    public static IReadOnlyList<(string Place, string[] Arguments)> Of(params string[] spellings)
    {
        string root = RepositoryRoot.Find();
        string[] files = [Path.Combine(root, "README.md"), Path.Combine(root, "CONTRIBUTING.md"), .. Directory.GetFiles(Path.Combine(root, "docs"), "*.md").Order(StringComparer.Ordinal)];
        return [.. files.SelectMany(file => In(file, spellings))];
    }

    private static IEnumerable<(string Place, string[] Arguments)> In(string file, string[] spellings)
    {
        string[] lines = File.ReadAllLines(file);
        bool fenced = false;
        for (int i = 0; i < lines.Length; i++)
        {
            if (lines[i].TrimStart().StartsWith("```", StringComparison.Ordinal))
            {
                fenced = !fenced;
                continue;
            }

            string line = lines[i].Trim();
            string? spelling = fenced ? spellings.FirstOrDefault(s => line == s || line.StartsWith(s + " ", StringComparison.Ordinal)) : null;
            if (spelling is null)
            {
                continue;
            }

            string place = $"{Path.GetFileName(file)}:{i + 1}";
            while (line.EndsWith('\\') && i + 1 < lines.Length)
            {
                line = line[..^1] + lines[++i].Trim();
            }

            if (!line.Contains('…', StringComparison.Ordinal))
            {
                yield return (place, Split(line[spelling.Length..]));
            }
        }
    }

    /// <summary>Takes a line apart as a shell does, up to a comment, a pipe, a redirection or an ampersand.</summary>
    private static string[] Split(string line)
    {
        List<string> words = [];
        StringBuilder word = new();
        bool begun = false;
        char quote = '\0';
        foreach (char c in line)
        {
            if (quote == '\0' && char.IsWhiteSpace(c))
            {
                Finish();
            }
            else if (quote == '\0' && !begun && c is ('#' or '|' or '>' or '&'))
            {
                break;
            }
            else if (c == quote || (quote == '\0' && c is ('\'' or '"')))
            {
                quote = c == quote ? '\0' : c;
                begun = true;
            }
            else
            {
                word.Append(c);
                begun = true;
            }
        }

        Finish();
        return [.. words];

        void Finish()
        {
            if (begun)
            {
                words.Add(word.ToString());
            }

            word.Clear();
            begun = false;
        }
    }
}
