using System.Buffers.Binary;
using Federated.Testing;
using Federated.Training.Data;

namespace Federated.Training.Tests.Data;

public sealed class AudioFolderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly FolderClock _clock = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(8000, 6, 5, 200, 80)]
    [InlineData(16000, 40, 3, 400, 160)]
    [InlineData(8000, 1, 2, 256, 300)]
    public void Open_Sound_GivesTheDefinition(int rate, int mels, int frames, int window, int hop)
    {
        short[] sound = [.. Enumerable.Range(0, 1000).Select(n => (short)((12000 * Math.Sin(n * 0.31)) + (n * 7919 % 4001) - 2000))];
        LogMelShape shape = new(rate, mels, frames, window, hop);
        Write("a/1.wav", Wav(rate, 1, sound));

        float[] features = Features(AudioFolder.Open(_folder.Path, null, shape, _clock), 0);

        for (int m = 0; m < mels; m++)
        {
            for (int t = 0; t < frames; t++)
            {
                Assert.Equal(Expected(sound, shape, m, t), features[(m * frames) + t], 1e-4);
            }
        }
    }

    [Fact]
    public void Open_ToneOfABin_HasTheEnergyOfHannsThreeLines()
    {
        // 1 kHz at bin 32 of 256 at 8 kHz. Hann's window leaves (A·W/4)² there and a quarter of it at both neighbours.
        const int Rate = 8000;
        const int Window = 256;
        short[] tone = [.. Enumerable.Range(0, Window).Select(n => (short)Math.Round(16384 * Math.Cos(2 * Math.PI * 32 * n / Window)))];
        LogMelShape shape = new(Rate, 1, 1, Window, Window);
        Write("a/1.wav", Wav(Rate, 1, tone));

        float feature = Assert.Single(Features(AudioFolder.Open(_folder.Path, null, shape, _clock), 0));

        double centre = 700 * (Math.Pow(10, Math.Log10(1 + (4000 / 700.0)) / 2) - 1);
        double line = Math.Pow(0.5 * Window / 4, 2);
        double energy = (line * Weight(1000)) + (line / 4 * (Weight(968.75) + Weight(1031.25)));
        Assert.Equal(Math.Log(energy), feature, 1e-3);

        double Weight(double hertz) => hertz < centre ? hertz / centre : (4000 - hertz) / (4000 - centre);
    }

    [Fact]
    public void Open_ShortAndSilent_IsFilledWithTheLeastEnergy()
    {
        Write("a/1.wav", Wav(8000, 1, new short[50]));
        float[] features = Features(AudioFolder.Open(_folder.Path, null, new LogMelShape(8000, 4, 3, 64, 32), _clock), 0);
        Assert.Equal(Enumerable.Repeat((float)Math.Log(1e-10), 12), features);
    }

    [Fact]
    public void Open_Stereo_IsTheMeanAndOtherChunksAreSkipped()
    {
        short[] left = [.. Enumerable.Range(0, 300).Select(n => (short)(n * 31 % 1000))];
        Write("a/mono.wav", Wav(8000, 1, left));
        Write("a/stereo.wav", Wav(8000, 2, [.. left.SelectMany(s => new[] { (short)(2 * s), (short)0 })], "LIST\u0003\0\0\0abc\0"));

        IGrowingExamples sounds = AudioFolder.Open(_folder.Path, null, new LogMelShape(8000, 4, 3, 64, 32), _clock);

        Assert.Equal(2, sounds.Examples.Count);
        Assert.Equal(Features(sounds, 0), Features(sounds, 1));
    }

    [Fact]
    public void Open_OtherFiles_AreCountedByKind()
    {
        byte[] whole = Wav(8000, 1, new short[200]);
        byte[] deep = [.. whole];
        deep[34] = 24;
        byte[] compressed = [.. whole];
        compressed[20] = 2;
        Write("a/whole.WAV", whole);
        Write("a/rate.wav", Wav(16000, 1, new short[200]));
        Write("a/deep.wav", deep);
        Write("a/compressed.wav", compressed);
        for (int length = 0; length < whole.Length; length += 20)
        {
            Write($"a/cut{length}.wav", whole[..length]);
        }

        FolderReport report = AudioFolder.Open(_folder.Path, null, new LogMelShape(8000, 4, 3, 64, 32), _clock).Report;

        Assert.Equal(new FolderReport(1) { Unsuitable = 3, Undecodable = (whole.Length + 19) / 20 }, report);
    }

    /// <summary>The definition, term by term.</summary>
    private static double Expected(short[] sound, LogMelShape shape, int mel, int frame)
    {
        int length = 1;
        while (length < shape.Window)
        {
            length *= 2;
        }

        double top = 2595 * Math.Log10(1 + (shape.SampleRate / 2.0 / 700));
        double[] corner = [.. Enumerable.Range(mel, 3).Select(i => 700 * (Math.Pow(10, top * i / (shape.Mels + 1) / 2595) - 1))];
        double energy = 0;
        for (int k = 0; k <= length / 2; k++)
        {
            double hertz = (double)k * shape.SampleRate / length;
            double weight = hertz <= corner[0] || hertz >= corner[2] ? 0
                : hertz <= corner[1] ? (hertz - corner[0]) / (corner[1] - corner[0])
                : (corner[2] - hertz) / (corner[2] - corner[1]);
            (double real, double imaginary) = (0, 0);
            for (int n = 0; n < shape.Window; n++)
            {
                int place = (frame * shape.Hop) + n;
                double sample = place < sound.Length ? sound[place] / 32768.0 : 0;
                double windowed = sample * Math.Pow(Math.Sin(Math.PI * n / shape.Window), 2);
                real += windowed * Math.Cos(2 * Math.PI * k * n / length);
                imaginary -= windowed * Math.Sin(2 * Math.PI * k * n / length);
            }

            energy += weight * ((real * real) + (imaginary * imaginary));
        }

        return Math.Log(Math.Max(energy, 1e-10));
    }

    private static byte[] Wav(int rate, int channels, short[] samples, string before = "")
    {
        byte[] pcm = new byte[samples.Length * 2];
        for (int i = 0; i < samples.Length; i++)
        {
            BinaryPrimitives.WriteInt16LittleEndian(pcm.AsSpan(2 * i), samples[i]);
        }

        using MemoryStream file = new();
        using BinaryWriter writer = new(file);
        writer.Write("RIFF"u8);
        writer.Write(36 + before.Length + pcm.Length);
        writer.Write("WAVEfmt "u8);
        writer.Write(16);
        writer.Write((short)1);
        writer.Write((short)channels);
        writer.Write(rate);
        writer.Write(rate * channels * 2);
        writer.Write((short)(channels * 2));
        writer.Write((short)16);
        writer.Write(System.Text.Encoding.Latin1.GetBytes(before));
        writer.Write("data"u8);
        writer.Write(pcm.Length);
        writer.Write(pcm);
        return file.ToArray();
    }

    private static float[] Features(IGrowingExamples sounds, int index)
    {
        float[] features = new float[sounds.Examples.Format.FeatureLength];
        sounds.Examples.CopyTo([index], features, new long[1]);
        return features;
    }

    private void Write(string name, byte[] content)
    {
        _clock.Write(_folder.Path, name, content);
        _clock.Settle();
    }
}
