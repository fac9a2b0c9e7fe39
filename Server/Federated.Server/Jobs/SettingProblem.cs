namespace Federated.Server.Jobs;

/// <summary>One thing that is wrong with a settings file.</summary>
/// <param name="Path">The key, for example <c>cohort.goal</c> or <c>model.hidden[1]</c>; <c>(root)</c> for the whole text.</param>
/// <param name="Value">What was found, for people.</param>
/// <param name="Allowed">What may stand there, and the way out.</param>
public sealed record SettingProblem(string Path, string Value, string Allowed)
{
    /// <summary>The path of the whole text.</summary>
    public const string Root = "(root)";

    /// <summary>The path of a key below <paramref name="path"/>.</summary>
    public static string At(string path, string key) => path is "" or Root ? key : $"{path}.{key}";

    /// <inheritdoc/>
    public override string ToString() => $"{Path}: {Value} is not allowed; allowed is {Allowed}";
}

/// <summary>Settings that know which of their combinations are impossible.</summary>
public interface ISettings
{
    /// <summary>
    /// The impossible combinations. Called on settings whose types are right; single values may be out of their range, so nothing here
    /// may throw on them.
    /// </summary>
    /// <param name="path">Where the settings stand; empty for the root. See <see cref="SettingProblem.At"/>.</param>
    IEnumerable<SettingProblem> Validate(string path);
}

/// <summary>A settings text is refused; the message lists every problem, one a line.</summary>
public sealed class InvalidSettingsException : Exception
{
    /// <summary>Refuses for these problems.</summary>
    public InvalidSettingsException(IReadOnlyList<SettingProblem> problems)
        : base(string.Join(Environment.NewLine, problems)) => Problems = problems;

    /// <summary>At least one.</summary>
    public IReadOnlyList<SettingProblem> Problems { get; }
}
