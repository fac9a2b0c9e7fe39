using StbImageSharp;

namespace Federated.Training.Data;

/// <summary>What the images of a folder become.</summary>
/// <param name="Height">Rows, 1 to <see cref="MaxSide"/>.</param>
/// <param name="Width">Columns, 1 to <see cref="MaxSide"/>.</param>
/// <param name="Channels">1 for grey, 3 for red, green and blue.</param>
public sealed record ImageShape(int Height, int Width, int Channels)
{
    /// <summary>Largest height and width.</summary>
    public const int MaxSide = 1024;
}

/// <summary>
/// PNG and JPEG files by class: scaled without keeping proportions (<see cref="AreaScaling"/>), as floats of [0, 1] in the order [channels, height, width]. Opacity and the turn that a
/// camera notes are left out. Pixels are held as bytes.
/// </summary>
public static class ImageFolder
{
    /// <summary>Longest file.</summary>
    public const long MaxFileBytes = 32L * 1024 * 1024;

    /// <summary>Most pixels of a file. While it is decoded, each takes the bytes that the file has for it, up to eight, about three times: unpacked, unfiltered and converted.</summary>
    public const long MaxPixels = 32L * 1024 * 1024;

    /// <summary>Reads a folder that holds a sub-folder for each class.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="classesFile">A UTF-8 file with a class a line, in order; the names of the sub-folders in ordinal order when null.</param>
    /// <param name="shape">What the images become.</param>
    /// <param name="time">Tells which files may still be written to.</param>
    /// <exception cref="IOException">There is no such folder or file.</exception>
    /// <exception cref="InvalidDataException">There is no class, or there are more examples than memory is for.</exception>
    public static IGrowingExamples Open(string folder, string? classesFile, ImageShape shape, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(folder);
        ArgumentNullException.ThrowIfNull(shape);
        ArgumentNullException.ThrowIfNull(time);
        return new ClassifiedFolder<byte>(folder, classesFile, new Reader(shape), time);
    }

    private sealed class Reader(ImageShape shape) : IFileReader<byte>
    {
        private static ReadOnlySpan<byte> PngSignature => [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0d, 0x0a, 0x1a, 0x0a];

        public int FeatureLength => shape.Channels * shape.Height * shape.Width;

        public long MaxFileBytes => ImageFolder.MaxFileBytes;

        public bool Takes(string name) =>
            Path.GetExtension(name.AsSpan()) is var ending
            && (ending.Equals(".png", StringComparison.OrdinalIgnoreCase)
                || ending.Equals(".jpg", StringComparison.OrdinalIgnoreCase)
                || ending.Equals(".jpeg", StringComparison.OrdinalIgnoreCase));

        public FileProblem? Read(byte[] content, out byte[] features)
        {
            features = [];
            if (!IsWhole(content))
            {
                return FileProblem.Undecodable;
            }

            try
            {
                using MemoryStream stream = new(content);
                if (ImageInfo.FromStream(stream) is not { Width: > 0, Height: > 0 } info)
                {
                    return FileProblem.Undecodable;
                }

                if ((long)info.Width * info.Height > MaxPixels || (long)info.Height * shape.Width > MaxPixels)
                {
                    return FileProblem.TooLarge;
                }

                if (content.AsSpan().StartsWith(PngSignature) && PngFile.Check(content) is { } problem)
                {
                    return problem;
                }

                ImageResult image = ImageResult.FromMemory(content, shape.Channels == 1 ? ColorComponents.Grey : ColorComponents.RedGreenBlue);
                features = AreaScaling.Scale(image.Data, image.Height, image.Width, shape.Channels, shape.Height, shape.Width);
                return null;
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                // The decoder is a port of C and fails as it happens on what is damaged.
                return FileProblem.Undecodable;
            }
        }

        public void CopyTo(ReadOnlySpan<byte> kept, Span<float> features) => PixelScaling.ToUnitInterval(kept, features);

        /// <summary>
        /// Whether it begins as PNG or JPEG does, and a JPEG file ends with its end marker: the decoder makes grey of what is missing at the end of a JPEG file and
        /// takes other formats too.
        /// </summary>
        private static bool IsWhole(ReadOnlySpan<byte> content) =>
            content.StartsWith(PngSignature)
            || (content.StartsWith((ReadOnlySpan<byte>)[0xff, 0xd8, 0xff]) && content.TrimEnd((byte)0).EndsWith((ReadOnlySpan<byte>)[0xff, 0xd9]));
    }
}
