namespace Federated.Modeling.Graphs;

/// <summary>The names taken in a graph. Which name comes next depends on the calls before it alone.</summary>
internal sealed class UniqueNames
{
    private readonly HashSet<string> _taken = new(StringComparer.Ordinal);
    private readonly HashSet<string> _reserved = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _nextSuffix = new(StringComparer.Ordinal);

    /// <summary>Keeps names for those who will claim them.</summary>
    public void Reserve(IEnumerable<string> names) => _reserved.UnionWith(names);

    /// <summary>Takes exactly this name.</summary>
    /// <exception cref="ArgumentException">It is empty or taken.</exception>
    public string Claim(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        return _taken.Add(name) ? name : throw new ArgumentException($"The name '{name}' is already taken in the graph.", nameof(name));
    }

    /// <summary>Takes the name, or the name with the first free suffix; never a reserved one.</summary>
    public string Next(string hint)
    {
        string name = hint;
        while (_reserved.Contains(name) || !_taken.Add(name))
        {
            int suffix = _nextSuffix.GetValueOrDefault(hint, 1);
            _nextSuffix[hint] = suffix + 1;
            name = $"{hint}_{suffix}";
        }

        return name;
    }
}
