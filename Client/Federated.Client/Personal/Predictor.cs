using Federated.Client.Engines;
using Federated.Client.Session;
using Federated.Client.Transport;
using Federated.Shared.Models;
using Federated.Shared.Protocol;
using Federated.Training;

namespace Federated.Client.Personal;

/// <summary>Which of the two adapters that a device keeps of a job answers.</summary>
internal enum PersonalChoice
{
    /// <summary>The one with the lower loss on the held-out examples; the device's own when none are held out.</summary>
    Better,

    /// <summary>The one that was tuned here.</summary>
    Personal,

    /// <summary>The one that the server sent.</summary>
    Shared,
}

/// <summary>
/// A model that a device keeps for itself, ready to be asked. When the agent keeps a newer one, the next question is answered by that. Nothing is fetched. Not thread-safe.
/// </summary>
internal sealed class Predictor : IDisposable
{
    private const int BatchSize = 64;

    private readonly string _path;
    private readonly PersonalChoice _choice;
    private readonly ModelCache _models;
    private readonly TimeProvider _time;
    private DateTime _writtenAt;
    private WorkspaceLease? _lease;
    private CachedModel? _model;

    private Predictor(string path, PersonalChoice choice, ModelCache models, TimeProvider time)
    {
        _path = path;
        _choice = choice;
        _models = models;
        _time = time;
    }

    /// <summary>What is kept.</summary>
    public PersonalDocument Document { get; private set; } = null!;

    /// <summary>Whether the device's own adapter answers, rather than the shared one.</summary>
    public bool IsPersonal { get; private set; }

    /// <summary>The package.</summary>
    public PackageManifest Manifest => _model!.Manifest;

    /// <summary>Opens what an agent has kept in its state folder.</summary>
    /// <param name="state">The agent's state folder.</param>
    /// <param name="job">The job; the only one when null.</param>
    /// <param name="choice">Which adapter answers.</param>
    /// <param name="models">Packages that the agent has fetched; disposed by the caller, after this.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="FormatException">Nothing is kept, or the job must be named.</exception>
    /// <exception cref="InvalidDataException">What is kept cannot be used; the message says why.</exception>
    public static async Task<Predictor> OpenAsync(StateFolder state, string? job, PersonalChoice choice, ModelCache models, TimeProvider time, CancellationToken cancellationToken)
    {
        Predictor predictor = new(PathOf(state.Personal, job), choice, models, time);
        try
        {
            await predictor.RefreshAsync(cancellationToken).ConfigureAwait(false);
            return predictor;
        }
        catch
        {
            predictor.Dispose();
            throw;
        }
    }

    /// <summary>Takes a newer model if there is one.</summary>
    /// <exception cref="InvalidDataException">What is kept cannot be used; what was used before still is.</exception>
    public async Task RefreshAsync(CancellationToken cancellationToken)
    {
        DateTime writtenAt = File.GetLastWriteTimeUtc(_path);
        if (writtenAt == _writtenAt)
        {
            return;
        }

        PersonalDocument document;
        try
        {
            document = PersonalDocument.FromBytes(await File.ReadAllBytesAsync(_path, cancellationToken).ConfigureAwait(false));
        }
        catch (Exception e) when (e is ProtocolViolationException or IOException or UnauthorizedAccessException)
        {
            throw new InvalidDataException($"{_path} cannot be used: {e.Message}", e);
        }

        CachedModel model = await LoadAsync(document, cancellationToken).ConfigureAwait(false);
        bool personal = _choice switch { PersonalChoice.Better => document.PersonalIsBetter, PersonalChoice.Personal => true, _ => false };
        if (_lease is null || model != _model)
        {
            // Another package: its workspaces are in a pool of their own.
            WorkspaceLease rented = await model.Workspaces!.RentAsync(cancellationToken).ConfigureAwait(false);
            _lease?.Dispose();
            _lease = rented;
        }

        document.Parameters(personal).CopyTo(_lease.Workspace.Adapter);
        (Document, _model, IsPersonal, _writtenAt) = (document, model, personal, writtenAt);
    }

    /// <summary>Scores examples one after the other.</summary>
    /// <param name="examples">In the package's format.</param>
    /// <param name="take">Is given each example's index and scores: [<see cref="PackageManifest.ScoresLength"/>].</param>
    /// <param name="cancellationToken">Looked at before every batch.</param>
    /// <exception cref="ArgumentException">The examples are not in the package's format.</exception>
    /// <exception cref="NotSupportedException">The package was made before graphs gave scores.</exception>
    public void Score(IExampleSource examples, Action<int, float[]> take, CancellationToken cancellationToken)
    {
        int length = Manifest.ScoresLength;
        for (int first = 0; first < examples.Count; first += BatchSize)
        {
            cancellationToken.ThrowIfCancellationRequested();
            int[] indices = [.. Enumerable.Range(first, Math.Min(BatchSize, examples.Count - first))];
            float[] scores = new float[indices.Length * length];
            _lease!.Workspace.Score(examples, indices, scores);
            foreach (int index in indices)
            {
                take(index, scores.AsSpan((index - first) * length, length).ToArray());
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _lease?.Dispose();

    private async Task<CachedModel> LoadAsync(PersonalDocument document, CancellationToken cancellationToken)
    {
        CachedModel model;
        try
        {
            model = await _models.GetAsync(document.Package, ModelUse.Losses, OfflineLink.Scope(_time), cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is ServerLinkException or ProtocolViolationException)
        {
            throw new InvalidDataException(
                $"The package of job '{document.JobId}' is not on this device any more: {e.Message} Let the agent take part in another round, with more room (--cache-mebibytes).", e);
        }

        return model.Workspaces is not null && document.Parameters(true).Length == model.Manifest.Layout.Length
            ? model
            : throw new InvalidDataException($"{_path} holds {document.Parameters(true).Length} parameters, package '{model.Manifest.Name}' has {model.Manifest.Layout.Length}.");
    }

    private static string PathOf(string folder, string? job)
    {
        string[] kept = Directory.Exists(folder) ? [.. Directory.EnumerateFiles(folder, "*" + PersonalModels.Extension).Order(StringComparer.Ordinal)] : [];
        string names = string.Join(", ", kept.Select(Path.GetFileNameWithoutExtension));
        return (job, kept.Length) switch
        {
            (_, 0) => throw new FormatException($"There is no model in '{folder}'. Run the agent with --personal and the same --state until it has contributed to a round."),
            (null, 1) => kept[0],
            (null, _) => throw new FormatException($"Models of several jobs are kept; name one with --job: {names}."),
            _ => kept.FirstOrDefault(path => Path.GetFileNameWithoutExtension(path) == job) ?? throw new FormatException($"No model of job '{job}' is kept; there are {names}."),
        };
    }
}
