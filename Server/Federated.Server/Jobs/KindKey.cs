namespace Federated.Server.Jobs;

/// <summary>A key of settings whose kind says which keys they have.</summary>
/// <param name="Name">The key.</param>
/// <param name="Value">What was given; null when it was left out.</param>
/// <param name="Used">Whether settings of this kind have the key.</param>
/// <param name="Needed">What must be given, in words; null where the key may be left out.</param>
internal readonly record struct KindKey(string Name, object? Value, bool Used, string? Needed = null)
{
    /// <summary>The keys that are missing, and those that the kind does not have.</summary>
    /// <param name="path">Where the settings stand; see <see cref="SettingProblem.At"/>.</param>
    /// <param name="kind">A value of the enumeration of kinds.</param>
    /// <param name="keys">Every key that one of the kinds has.</param>
    public static IEnumerable<SettingProblem> Validate(string path, Enum kind, IReadOnlyList<KindKey> keys)
    {
        string name = AllowedText.NameOf(kind, StrictJson.Options);
        foreach (KindKey key in keys)
        {
            if (key is { Used: true, Needed: { } needed, Value: null })
            {
                yield return new SettingProblem(SettingProblem.At(path, key.Name), "a missing key", $"{needed}, with kind = {name}");
            }
            else if (!key.Used && key.Value is not null)
            {
                yield return new SettingProblem(
                    SettingProblem.At(path, key.Name), $"this key with kind = {name}", string.Join(", ", keys.Where(other => other.Used).Select(other => other.Name)));
            }
        }
    }
}
