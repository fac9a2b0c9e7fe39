using Federated.Shared.Protocol;
using Federated.Training;
using Federated.Training.Data;

namespace Federated.Client.Data;

/// <summary>The examples of a device: those it trains on, and those it never does. A folder may grow meanwhile. One caller at a time.</summary>
public sealed class DeviceExamples
{
    private readonly IGrowingExamples? _folder;
    private readonly Func<IExampleSource, ExampleSplit> _split;
    private readonly CurrentExamples _training;
    private readonly CurrentExamples _heldOut;

    /// <summary>Parts what was read.</summary>
    /// <param name="all">All examples.</param>
    /// <param name="split">Says which are which.</param>
    /// <exception cref="FormatException">The split is not possible with these examples.</exception>
    internal DeviceExamples(IExampleSource all, Func<IExampleSource, ExampleSplit> split)
    {
        _split = split;
        (IExampleSource training, IExampleSource heldOut) = Part(all);
        _training = new CurrentExamples(training);
        _heldOut = new CurrentExamples(heldOut);
    }

    /// <summary>Parts what a folder holds now, and later.</summary>
    /// <param name="folder">The folder; it belongs to this object from here on.</param>
    /// <param name="split">Says which are which.</param>
    /// <exception cref="FormatException">The split is not possible with these examples.</exception>
    internal DeviceExamples(IGrowingExamples folder, Func<IExampleSource, ExampleSplit> split)
        : this(folder.Examples, split) => _folder = folder;

    /// <summary>What is trained on. Another count after a refresh.</summary>
    public IExampleSource Training => _training;

    /// <summary>What is never trained on; none unless the source holds some out. Another count after a refresh.</summary>
    public IExampleSource HeldOut => _heldOut;

    /// <summary>What became of a folder's files; null for what cannot grow.</summary>
    public FolderReport? Report => _folder?.Report;

    /// <summary>Reads what was added to a folder; not while a round trains.</summary>
    /// <returns>Whether the examples are others now.</returns>
    /// <exception cref="IOException">The folder cannot be read; the examples stay as they were.</exception>
    /// <exception cref="UnauthorizedAccessException">Likewise.</exception>
    /// <exception cref="FormatException">What the folder holds now cannot be split as it was asked for; there are no examples then until the folder changes.</exception>
    public bool Refresh()
    {
        if (_folder is null || !_folder.Refresh())
        {
            return false;
        }

        IExampleSource all = _folder.Examples;
        try
        {
            (IExampleSource training, IExampleSource heldOut) = all.Count == 0 ? (all, all) : Part(all);
            _training.Put(training);
            _heldOut.Put(heldOut);
            return true;
        }
        catch (FormatException)
        {
            // What was deleted must not be trained on because of what is left.
            IExampleSource none = new ExampleSubset(all, []);
            _training.Put(none);
            _heldOut.Put(none);
            throw;
        }
    }

    private (IExampleSource Training, IExampleSource HeldOut) Part(IExampleSource all)
    {
        ExampleSplit split = _split(all);
        return split.Training.Length <= ProtocolLimits.MaxExamples
            ? (split.Training.Length == all.Count ? all : new ExampleSubset(all, split.Training), new ExampleSubset(all, split.HeldOut))
            : throw new FormatException($"The device has {split.Training.Length} examples, the limit is {ProtocolLimits.MaxExamples}. Set a limit.");
    }
}
