using Federated.Modeling.Exports;
using Federated.Shared.Models;

namespace Federated.Modeling.Tests.Exports;

public sealed class WeightsFileTests
{
    private static readonly ParameterLayout _layout = ParameterLayout.Of([("a", [2, 2]), ("b", [3])]);
    private static readonly float[] _weights = [1, -2, 0.5f, 0.1f, 3, 65_504, -6e-8f];

    [Fact]
    public void Read_WhatWasWritten_IsTheSame() => Assert.Equal(_weights, WeightsFile.Read(WeightsFile.Write(_layout, _weights, half: false), _layout));

    [Fact]
    public void Read_WhatWasWrittenInHalf_IsTheNearest() =>
        Assert.Equal(_weights.Select(w => (float)(Half)w), WeightsFile.Read(WeightsFile.Write(_layout, _weights, half: true), _layout));

    [Fact]
    public void Read_TensorsInAnotherOrder_AreFoundByName()
    {
        byte[] file = SafetensorsFile.Write([new NamedTensor("b", [3], new float[] { 5, 6, 7 }), new NamedTensor("a", [2, 2], new float[] { 1, 2, 3, 4 })]);
        Assert.Equal([1, 2, 3, 4, 5, 6, 7], WeightsFile.Read(file, _layout));
    }

    [Fact]
    public void Read_OtherTensors_NamesEachProblem()
    {
        byte[] file = SafetensorsFile.Write([new NamedTensor("a", [4], new float[4]), new NamedTensor("c", [1], new float[1])]);
        string message = Assert.Throws<InvalidDataException>(() => WeightsFile.Read(file, _layout)).Message;
        Assert.Contains("a has shape [4] where the model has [2, 2]", message, StringComparison.Ordinal);
        Assert.Contains("b is missing", message, StringComparison.Ordinal);
        Assert.Contains("c is no tensor of the model", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.NegativeInfinity)]
    public void Read_ValuesThatAreNotFinite_NamesTheTensor(float value)
    {
        byte[] file = SafetensorsFile.Write([new NamedTensor("a", [2, 2], new float[4]), new NamedTensor("b", [3], new[] { 0, value, 1 })]);
        Assert.Contains("b holds values that are not finite", Assert.Throws<InvalidDataException>(() => WeightsFile.Read(file, _layout)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_BFloat16_IsTheUpperHalf()
    {
        byte[] file = SafetensorsFile.Write([new NamedTensor("a", [2], new float[] { 0, 0 })], half: true);
        int header = file.Length - 4;
        string text = System.Text.Encoding.ASCII.GetString(file, 8, header - 8).Replace("\"F16\"", "\"BF16\"", StringComparison.Ordinal);
        byte[] changed = [.. BitConverter.GetBytes((ulong)text.Length), .. System.Text.Encoding.ASCII.GetBytes(text), 0x80, 0x3F, 0x20, 0xC0];
        Assert.Equal([1f, -2.5f], SafetensorsFile.Read(changed)[0].Values.ToArray());
    }
}
