using Federated.Server.SecureAggregation;
using Federated.Shared.Protos;
using Federated.Shared.SecureAggregation;
using Google.Protobuf;

namespace Federated.Server.Tests.SecureAggregation;

/// <summary>
/// What the server receives says nothing beyond the sum: masked fields are uniform, they do not correlate with what is under them, they are
/// fresh in every run, and no message holds a plain value.
/// </summary>
public sealed class TranscriptTests
{
    private const int Fields = 20_000;

    [Theory]
    [InlineData(8)]
    [InlineData(12)]
    [InlineData(16)]
    [InlineData(24)]
    [InlineData(32)]
    public void MaskedInput_ConstantInput_IsUniform(int width)
    {
        // 99.99 % quantile of chi-square with 15 degrees of freedom: 44.3. The masks are new in every scene: what is uniform exceeds it in one of 2,500
        // scenes, and not in three; what is not uniform exceeds it in each.
        Assert.Contains(Enumerable.Range(1, 3).Select(seed => LargestChiSquare(width, (ulong)seed)), largest => largest <= 44.3);
    }

    [Fact]
    public void MaskedInput_PlainInput_DoesNotCorrelate()
    {
        using GroupScene scene = Scene(16, 1);
        for (int device = 1; device <= 4; device++)
        {
            FieldVector masked = MaskedInputOf(scene, device);
            double[] plain = [.. scene.Inputs[device - 1].Select(field => (double)Signed(field))];
            double[] seen = [.. Enumerable.Range(0, Fields).Select(i => (double)masked[i])];

            // Of independent values the correlation has a deviation of 1/√n; five of them.
            Assert.InRange(Math.Abs(Correlation(plain, seen)), 0, 5 / Math.Sqrt(Fields));
            int equal = Enumerable.Range(0, Fields).Count(i => masked[i] == scene.Inputs[device - 1][i]);
            Assert.InRange(equal, 0, 8);
        }
    }

    // Two worlds with the same sum: in one, device 1 holds a and device 2 holds b; in the other they have changed places. Whatever statistic of the
    // transcript tells them apart is a leak.
    [Fact]
    public void Transcript_UpdatesOfEqualSumSwapped_CannotBeToldApart()
    {
        const int Runs = 60;
        double[] straight = new double[Runs];
        double[] swapped = new double[Runs];
        for (int run = 0; run < Runs; run++)
        {
            straight[run] = Statistic(swap: false, (ulong)run);
            swapped[run] = Statistic(swap: true, (ulong)run);
        }

        // The statistic is a standard normal in both worlds: the mean of sixty has a deviation of 0.13.
        Assert.InRange(straight.Average(), -0.6, 0.6);
        Assert.InRange(swapped.Average(), -0.6, 0.6);
        Assert.InRange(straight.Select(value => value * value).Average(), 0.3, 2.2);
        Assert.InRange(swapped.Select(value => value * value).Average(), 0.3, 2.2);
    }

    [Fact]
    public void Transcript_SameInputTwice_HasNothingInCommon()
    {
        using GroupScene first = Scene(16, 1);
        using GroupScene second = Scene(16, 1);
        Assert.Equal(first.Inputs[0], second.Inputs[0]);
        FieldVector a = MaskedInputOf(first, 1);
        FieldVector b = MaskedInputOf(second, 1);
        Assert.InRange(Enumerable.Range(0, Fields).Count(i => a[i] == b[i]), 0, 8);
        Assert.NotEqual(first.Transcript[0].Message.Keys.MaskKey, second.Transcript[0].Message.Keys.MaskKey);
        Assert.NotEqual(first.Transcript[0].Message.Keys.ChannelKey, second.Transcript[0].Message.Keys.ChannelKey);
    }

    // Example counts and losses are fields: the only places a client writes its own numbers to are masked.
    [Fact]
    public void Transcript_ClientMessages_HaveNoFieldForMetadata()
    {
        string[] allowed = ["session_id", "keys", "shares", "input", "signature", "unmasking", "refusal"];
        Assert.Equal(allowed.Order(), GroupClientMessage.Descriptor.Fields.InFieldNumberOrder().Select(field => field.Name).Order());
        Assert.Equal(["fields"], MaskedInput.Descriptor.Fields.InFieldNumberOrder().Select(field => field.Name));
    }

    [Fact]
    public void Transcript_EveryMessage_HoldsNoRunOfPlainFields()
    {
        using GroupScene scene = Scene(16, 1);
        for (int device = 1; device <= 4; device++)
        {
            byte[] plain = new byte[2 * Fields];
            FieldVector.Of(scene.Inputs[device - 1], 16).Pack(plain);
            byte[] piece = plain[100..108];
            Assert.All(scene.Transcript, entry => Assert.Equal(-1, entry.Message.ToByteArray().AsSpan().IndexOf(piece)));
        }
    }

    private static GroupScene Scene(int width, ulong seed)
    {
        GroupScene scene = new(4, header => header with { FieldCount = Fields, WidthBits = width }, seed: seed);
        scene.Run();
        scene.DemandSumOf(1, 2, 3, 4);
        return scene;
    }

    private static FieldVector MaskedInputOf(GroupScene scene, int device)
    {
        ByteString packed = scene.Transcript.Single(entry => entry.Device == GroupScene.Id(device) && entry.Message.Input is not null).Message.Input.Fields;
        return FieldVector.Unpack(packed.Span, scene.Header.FieldCount, scene.Header.WidthBits);
    }

    /// <summary>Chi-square of the upper four bits of the masked fields against the uniform distribution: the largest of the four devices.</summary>
    private static double LargestChiSquare(int width, ulong seed)
    {
        using GroupScene scene = Scene(width, seed);
        double largest = 0;
        for (int device = 1; device <= 4; device++)
        {
            FieldVector masked = MaskedInputOf(scene, device);
            int[] counts = new int[16];
            for (int i = 0; i < Fields; i++)
            {
                counts[masked[i] >> (width - 4)]++;
            }

            double expected = Fields / 16.0;
            largest = Math.Max(largest, counts.Sum(count => (count - expected) * (count - expected) / expected));
        }

        return largest;
    }

    private static int Signed(uint field) => unchecked((short)field);

    // Correlation of device 1's masked input with a − b, the difference of the worlds, in standard deviations.
    private static double Statistic(bool swap, ulong seed)
    {
        const int Length = 2_000;
        using GroupScene scene = new(3, header => header with { FieldCount = Length }, seed: seed);
        double[] difference = [.. scene.Inputs[0].Zip(scene.Inputs[1], (a, b) => (double)(Signed(a) - Signed(b)))];
        if (swap)
        {
            (scene.Inputs[0], scene.Inputs[1]) = (scene.Inputs[1], scene.Inputs[0]);
            for (int device = 1; device <= 2; device++)
            {
                scene.Clients[device - 1] = new Federated.Shared.SecureAggregation.Client.SecureAggregationClient(
                    scene.ClientTerms(device), new(FieldVector.Of(scene.Inputs[device - 1], 16), scene.Header.Model));
            }
        }

        scene.Run();
        scene.DemandSumOf(1, 2, 3);
        FieldVector masked = MaskedInputOf(scene, 1);
        return Correlation(difference, [.. Enumerable.Range(0, Length).Select(i => (double)masked[i])]) * Math.Sqrt(Length);
    }

    private static double Correlation(double[] x, double[] y)
    {
        double meanX = x.Average();
        double meanY = y.Average();
        double xy = x.Zip(y, (a, b) => (a - meanX) * (b - meanY)).Sum();
        return xy / Math.Sqrt(x.Sum(a => (a - meanX) * (a - meanX)) * y.Sum(b => (b - meanY) * (b - meanY)));
    }
}
