namespace Federated.Training.Data;

/// <summary>
/// WAV files of 16-bit PCM by class, as logarithms of mel energies (<see cref="LogMel"/>) in the order [1, mels, frames]. Several channels are averaged; other rates are
/// not resampled but counted.
/// </summary>
public static class AudioFolder
{
    /// <summary>Longest file.</summary>
    public const long MaxFileBytes = 64L * 1024 * 1024;

    /// <summary>Reads a folder that holds a sub-folder for each class.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="classesFile">A UTF-8 file with a class a line, in order; the names of the sub-folders in ordinal order when null.</param>
    /// <param name="shape">What the sounds become.</param>
    /// <param name="time">Tells which files may still be written to.</param>
    /// <exception cref="IOException">There is no such folder or file.</exception>
    /// <exception cref="InvalidDataException">There is no class, or there are more examples than memory is for.</exception>
    public static IGrowingExamples Open(string folder, string? classesFile, LogMelShape shape, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(folder);
        ArgumentNullException.ThrowIfNull(shape);
        ArgumentNullException.ThrowIfNull(time);
        return new ClassifiedFolder<float>(folder, classesFile, new Reader(shape), time);
    }

    private sealed class Reader(LogMelShape shape) : IFileReader<float>
    {
        private readonly LogMel _features = new(shape);

        public int FeatureLength => _features.FeatureLength;

        public long MaxFileBytes => AudioFolder.MaxFileBytes;

        public bool Takes(string name) => name.EndsWith(".wav", StringComparison.OrdinalIgnoreCase);

        public FileProblem? Read(byte[] content, out float[] features)
        {
            FileProblem? problem = WavFile.Read(content, shape.SampleRate, out float[] samples);
            features = problem is null ? _features.Of(samples) : [];
            return problem;
        }

        public void CopyTo(ReadOnlySpan<float> kept, Span<float> features) => kept.CopyTo(features);
    }
}
