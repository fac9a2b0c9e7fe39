using System.Collections.Immutable;
using Federated.Shared.Models;
using static TorchSharp.torch;

namespace Federated.Training.Torch;

/// <summary>
/// One thread's place to train with torch. Parameters and gradients are tensors over the flat arrays' own memory, so that on the CPU torch
/// reads the adapter and adds up the gradient in place; on another device they are copied there and back each step.
/// </summary>
internal sealed class TorchWorkspace : IModelWorkspace
{
    private readonly TorchModel _model;
    private readonly bool _sharesMemory;
    private readonly float[] _adapter;
    private readonly float[] _gradient;
    private readonly ImmutableArray<Tensor> _hostParameters;
    private readonly ImmutableArray<Tensor> _hostGradients;
    private readonly ImmutableArray<Tensor> _parameters;
    private readonly ImmutableArray<Tensor> _gradients;
    private readonly int[] _parameterOfInput;
    private float[] _features = [];
    private long[] _labels = [];
    private Tensor? _hostFeatures;
    private Tensor? _hostLabels;

    public TorchWorkspace(TorchModel model)
    {
        _model = model;
        _sharesMemory = model.Device.type == TorchSharp.DeviceType.CPU;
        _adapter = new float[model.Layout.Length];
        _gradient = new float[model.Layout.Length];
        _hostParameters = [.. model.Layout.Parameters.Select(p => Over(_adapter, p))];
        _hostGradients = [.. model.Layout.Parameters.Select(p => Over(_gradient, p))];
        _parameters = _sharesMemory ? _hostParameters : ToDevice(_hostParameters);
        _gradients = _sharesMemory ? _hostGradients : ToDevice(_hostGradients);
        for (int i = 0; i < _parameters.Length; i++)
        {
            _ = _parameters[i].requires_grad_();
            _parameters[i].grad = _gradients[i];
        }

        _parameterOfInput = [.. model.InputNames.Select(name => model.Layout.Parameters.Select(p => p.Name).ToList().IndexOf(name))];
    }

    public Span<float> Adapter => _adapter;

    public Span<float> Gradient => _gradient;

    public float LossAndGradient(IExampleSource examples, ReadOnlySpan<int> indices)
    {
        using TorchSharp.DisposeScope scope = NewDisposeScope();
        IReadOnlyList<Tensor> inputs = Bind(examples, indices);
        foreach (Tensor gradient in _gradients)
        {
            _ = gradient.zero_();
        }

        Tensor loss = _model.LossProgram.Run(inputs)[0];

        // Adds to the gradient tensors that the parameters already have, which keep their memory.
        loss.backward();
        CopyUnlessShared(_gradients, _hostGradients);
        return loss.item<float>();
    }

    public EvaluationSum Evaluate(IExampleSource examples, ReadOnlySpan<int> indices)
    {
        using TorchSharp.DisposeScope scope = NewDisposeScope();
        using IDisposable withoutGradient = no_grad();
        Tensor[] outputs = _model.EvaluationProgram.Run(Bind(examples, indices));
        return new EvaluationSum(indices.Length, (double)outputs[0].item<float>() * indices.Length, outputs[1].item<float>());
    }

    public void Dispose()
    {
        foreach (Tensor tensor in _parameters.Concat(_gradients).Concat(_hostParameters).Concat(_hostGradients))
        {
            tensor.Dispose();
        }

        _hostFeatures?.Dispose();
        _hostLabels?.Dispose();
    }

    /// <summary>The graph's inputs in its order: the batch and the parameters at their present values.</summary>
    private Tensor[] Bind(IExampleSource examples, ReadOnlySpan<int> indices)
    {
        (Tensor features, Tensor labels) = Stage(examples, indices);
        using (IDisposable withoutGradient = no_grad())
        {
            CopyUnlessShared(_hostParameters, _parameters);
        }

        Tensor[] inputs = new Tensor[_parameterOfInput.Length];
        for (int i = 0; i < inputs.Length; i++)
        {
            int parameter = _parameterOfInput[i];
            inputs[i] = parameter >= 0 ? _parameters[parameter] : _model.InputNames[i] == PackageManifest.FeaturesInput ? features : labels;
        }

        return inputs;
    }

    private (Tensor Features, Tensor Labels) Stage(IExampleSource examples, ReadOnlySpan<int> indices)
    {
        ArgumentNullException.ThrowIfNull(examples);
        PackageManifest manifest = _model.Manifest;
        if (indices.IsEmpty)
        {
            throw new ArgumentException("The batch is empty; it needs at least one example.", nameof(indices));
        }

        if (examples.FeatureLength != manifest.FeatureLength)
        {
            throw new ArgumentException(
                $"An example has {examples.FeatureLength} features; model '{manifest.Name}' takes {manifest.FeatureLength}.", nameof(examples));
        }

        if (_labels.Length != indices.Length || _hostFeatures is null || _hostLabels is null)
        {
            _hostFeatures?.Dispose();
            _hostLabels?.Dispose();
            _features = new float[checked(indices.Length * manifest.FeatureLength)];
            _labels = new long[indices.Length];
            _hostFeatures = frombuffer(_features, ScalarType.Float32)
                .reshape([indices.Length, .. manifest.FeatureShape.Select(d => (long)d)])
                .DetachFromDisposeScope();
            _hostLabels = frombuffer(_labels, ScalarType.Int64).DetachFromDisposeScope();
        }

        examples.CopyTo(indices, _features, _labels);
        foreach (long label in _labels)
        {
            if (label < 0 || label >= manifest.Classes)
            {
                throw new ArgumentException($"An example has label {label}; model '{manifest.Name}' knows 0 to {manifest.Classes - 1}.", nameof(examples));
            }
        }

        return (_hostFeatures.to(_model.Device), _hostLabels.to(_model.Device));
    }

    private ImmutableArray<Tensor> ToDevice(ImmutableArray<Tensor> tensors) =>
        [.. tensors.Select(t => t.to(_model.Device).DetachFromDisposeScope())];

    private void CopyUnlessShared(ImmutableArray<Tensor> sources, ImmutableArray<Tensor> targets)
    {
        for (int i = 0; !_sharesMemory && i < sources.Length; i++)
        {
            _ = targets[i].copy_(sources[i]);
        }
    }

    /// <summary>A tensor over a parameter's part of a flat array; torch pins the array as long as the tensor lives.</summary>
    private static Tensor Over(float[] flat, ParameterSpec parameter) =>
        frombuffer(flat, ScalarType.Float32, parameter.Length, parameter.Offset)
            .reshape([.. parameter.Shape.Select(d => (long)d)])
            .DetachFromDisposeScope();
}
