using System.Collections.Immutable;

namespace Federated.Training.Data;

/// <summary>Images of another source, each in a variant of its own. Thread-safe.</summary>
public sealed class VariedImages : IExampleSource
{
    private readonly IExampleSource _source;
    private readonly ImageVariant[] _variants;
    private readonly int[][] _places;
    private readonly int _pixels;

    /// <summary>Views images in variants.</summary>
    /// <param name="source">Classified images of one channel.</param>
    /// <param name="imageShape">[height, width]; turns need a square.</param>
    /// <param name="variants">[Count] of the source.</param>
    /// <exception cref="ArgumentException">The shape is not that of the examples, or not square.</exception>
    public VariedImages(IExampleSource source, ImmutableArray<int> imageShape, ImageVariant[] variants)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(variants);
        if (imageShape.Length != 2 || imageShape[0] != imageShape[1] || imageShape[0] * imageShape[1] != source.Format.FeatureLength)
        {
            throw new ArgumentException(
                $"Variants need square images of one channel; these have the shape [{string.Join(", ", imageShape)}] and {source.Format.FeatureLength} features.",
                nameof(imageShape));
        }

        if (variants.Length != source.Count)
        {
            throw new ArgumentException($"There are {variants.Length} variants for {source.Count} images.", nameof(variants));
        }

        _source = source;
        _variants = variants;
        _pixels = source.Format.FeatureLength;
        _places = [.. Enum.GetValues<ImageVariant>().Select(variant => Places(variant, imageShape[0]))];
    }

    /// <inheritdoc/>
    public int Count => _source.Count;

    /// <inheritdoc/>
    public ExampleFormat Format => _source.Format;

    /// <inheritdoc/>
    public void CopyTo(ReadOnlySpan<int> indices, ExampleBatch batch)
    {
        _source.CopyTo(indices, batch);
        Span<float> before = _pixels <= 4096 ? stackalloc float[_pixels] : new float[_pixels];
        for (int i = 0; i < indices.Length; i++)
        {
            Span<float> image = batch.Features.Slice(i * _pixels, _pixels);
            ImageVariant variant = _variants[indices[i]];
            if (variant == ImageVariant.Plain)
            {
                continue;
            }

            image.CopyTo(before);
            int[] places = _places[(int)variant];
            bool inverted = variant is ImageVariant.Inverted or ImageVariant.InvertedRotated30 or ImageVariant.InvertedRotated330;
            for (int pixel = 0; pixel < _pixels; pixel++)
            {
                float light = places[pixel] < 0 ? 0 : before[places[pixel]];
                image[pixel] = inverted ? 1 - light : light;
            }
        }
    }

    /// <summary>Where each pixel of the variant is taken from; −1 for outside.</summary>
    private static int[] Places(ImageVariant variant, int side)
    {
        (double sine, double cosine) = Math.SinCos(double.DegreesToRadians(Degrees(variant)));
        double centre = (side - 1) / 2.0;
        int[] places = new int[side * side];
        for (int row = 0; row < side; row++)
        {
            for (int column = 0; column < side; column++)
            {
                (double down, double right) = (row - centre, variant == ImageVariant.Mirrored ? centre - column : column - centre);
                int fromRow = (int)Math.Round(centre + (down * cosine) - (right * sine));
                int fromColumn = (int)Math.Round(centre + (down * sine) + (right * cosine));
                bool inside = fromRow >= 0 && fromRow < side && fromColumn >= 0 && fromColumn < side;
                places[(row * side) + column] = inside ? (fromRow * side) + fromColumn : -1;
            }
        }

        return places;
    }

    /// <summary>How far the variant is turned clockwise.</summary>
    private static double Degrees(ImageVariant variant) => variant switch
    {
        ImageVariant.Rotated30 or ImageVariant.InvertedRotated30 => 30,
        ImageVariant.Rotated45 => 45,
        ImageVariant.Rotated90 => 90,
        ImageVariant.Rotated180 => 180,
        ImageVariant.Rotated270 => 270,
        ImageVariant.Rotated315 => 315,
        ImageVariant.Rotated330 or ImageVariant.InvertedRotated330 => 330,
        _ => 0,
    };
}
