using System.Numerics.Tensors;
using Federated.Modeling;
using Federated.Shared.Models;
using Federated.Shared.Randomness;
using Microsoft.ML.OnnxRuntime;

namespace Federated.Benchmarks;

/// <summary>
/// The yardstick: the same gradient graph in a bare <see cref="InferenceSession"/> with I/O binding, one array a tensor, float32 examples
/// ready in memory, and stochastic gradient descent written out. What a person would write who has no platform and wants speed.
/// </summary>
internal sealed class PlainLoop : IDisposable
{
    private const int Batch = 10;

    private readonly InferenceSession _session;
    private readonly OrtIoBinding _binding;
    private readonly RunOptions _options = new();
    private readonly float[][] _weights;
    private readonly float[][] _gradients;
    private readonly float[] _features;
    private readonly long[] _labels = new long[Batch];
    private readonly float[] _loss = new float[1];
    private readonly float[][] _initial;
    private readonly float[] _allFeatures;
    private readonly long[] _allLabels;
    private readonly int[] _order;
    private readonly int _featureLength;
    private readonly List<OrtValue> _values = [];

    public PlainLoop(ModelPackage package, float[] features, long[] labels)
    {
        using SessionOptions session = new()
        {
            GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_ALL,
            IntraOpNumThreads = 1,
            InterOpNumThreads = 1,
        };
        _session = new InferenceSession(package.GradientGraph, session);
        _allFeatures = features;
        _allLabels = labels;
        _featureLength = package.Manifest.FeatureLength;
        _features = new float[Batch * _featureLength];
        _order = [.. Enumerable.Range(0, labels.Length)];
        ParameterLayout layout = package.Manifest.Layout;
        _initial = [.. layout.Parameters.Select(p => package.InitialAdapter.AsSpan(p.Offset, p.Length).ToArray())];
        _weights = [.. _initial.Select(w => w.ToArray())];
        _gradients = [.. _initial.Select(w => new float[w.Length])];
        _binding = _session.CreateIoBinding();
        _binding.BindInput("features", Value(_features, [Batch, .. package.Manifest.Input.Shape.Select(d => (long)d)]));
        _binding.BindInput("labels", Value(_labels, [Batch]));
        _binding.BindOutput("loss", Value(_loss, [.. _session.OutputMetadata["loss"].Dimensions.Select(d => (long)d)]));
        for (int i = 0; i < _weights.Length; i++)
        {
            ParameterSpec parameter = layout.Parameters[i];
            long[] shape = [.. parameter.Shape.Select(d => (long)d)];
            _binding.BindInput(parameter.Name, Value(_weights[i], shape));
            _binding.BindOutput($"gradient/{parameter.Name}", Value(_gradients[i], shape));
        }
    }

    /// <summary>One epoch over all examples from the initial weights.</summary>
    public double Epoch(SeededGenerator shuffle, float learningRate)
    {
        for (int i = 0; i < _weights.Length; i++)
        {
            _initial[i].CopyTo(_weights[i], 0);
        }

        shuffle.Shuffle(_order.AsSpan());
        double loss = 0;
        for (int first = 0; first < _order.Length; first += Batch)
        {
            for (int i = 0; i < Batch; i++)
            {
                int example = _order[first + i];
                _allFeatures.AsSpan(example * _featureLength, _featureLength).CopyTo(_features.AsSpan(i * _featureLength));
                _labels[i] = _allLabels[example];
            }

            _session.RunWithBinding(_options, _binding);
            loss += _loss[0];
            for (int i = 0; i < _weights.Length; i++)
            {
                TensorPrimitives.MultiplyAdd(_gradients[i], -learningRate, _weights[i], _weights[i]);
            }
        }

        return loss;
    }

    public void Dispose()
    {
        _binding.Dispose();
        _values.ForEach(value => value.Dispose());
        _session.Dispose();
        _options.Dispose();
    }

    private OrtValue Value<T>(T[] array, long[] shape)
        where T : unmanaged
    {
        OrtValue value = OrtValue.CreateTensorValueFromMemory(array, shape);
        _values.Add(value);
        return value;
    }
}
