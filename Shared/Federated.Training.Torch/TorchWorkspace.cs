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
    private readonly HostBatch _batch;

    public TorchWorkspace(TorchModel model)
    {
        _model = model;
        _sharesMemory = model.Device.type == TorchSharp.DeviceType.CPU;
        _batch = new HostBatch(model.Manifest);
        _adapter = new float[model.Layout.Length];
        _gradient = new float[model.Layout.Length];
        _hostParameters = [.. model.Layout.Parameters.Select(p => Over(_adapter, p))];
        _hostGradients = [.. model.Layout.Parameters.Select(p => Over(_gradient, p))];
        _parameters = _sharesMemory ? _hostParameters : ToDevice(_hostParameters);
        _gradients = _sharesMemory ? _hostGradients : ToDevice(_hostGradients);
        for (int i = 0; i < _parameters.Length; i++)
        {
            if (!model.Manifest.Parameters[i].HasGradient)
            {
                continue;
            }

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
        (IReadOnlyList<Tensor> inputs, _) = Bind(examples, indices);
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
        (IReadOnlyList<Tensor> inputs, long counted) = Bind(examples, indices);
        Tensor[] outputs = _model.EvaluationProgram.Run(inputs);
        return EvaluationSum.OfBatch(indices.Length, counted, outputs[0].item<float>(), outputs[1].item<float>());
    }

    public void Score(IExampleSource examples, ReadOnlySpan<int> indices, Span<float> scores)
    {
        if (_model.ScoresProgram is not { } program)
        {
            throw MissingScores.Of(_model.Manifest);
        }

        ArgumentOutOfRangeException.ThrowIfNotEqual(scores.Length, checked(indices.Length * _model.Manifest.ScoresLength));
        using TorchSharp.DisposeScope scope = NewDisposeScope();
        using IDisposable withoutGradient = no_grad();
        (IReadOnlyList<Tensor> inputs, _) = Bind(examples, indices);
        program.Run(inputs)[0].contiguous().cpu().data<float>().ToArray().CopyTo(scores);
    }

    public void Dispose()
    {
        foreach (Tensor tensor in _parameters.Concat(_gradients).Concat(_hostParameters).Concat(_hostGradients))
        {
            tensor.Dispose();
        }

        _batch.Dispose();
    }

    /// <summary>The graph's inputs in its order, the batch and the parameters at their present values, and what the loss is the mean over.</summary>
    private (Tensor[] Inputs, long Counted) Bind(IExampleSource examples, ReadOnlySpan<int> indices)
    {
        ArgumentNullException.ThrowIfNull(examples);
        long counted = _batch.Fill(examples, indices);
        Tensor features = _batch.Features.to(_model.Device);
        Tensor labels = _batch.Labels.to(_model.Device);
        using (IDisposable withoutGradient = no_grad())
        {
            CopyUnlessShared(_hostParameters, _parameters);
        }

        Tensor[] inputs = new Tensor[_parameterOfInput.Length];
        for (int i = 0; i < inputs.Length; i++)
        {
            int parameter = _parameterOfInput[i];
            inputs[i] = parameter >= 0 ? _parameters[parameter] : _model.InputNames[i] == _model.Manifest.Input.Name ? features : labels;
        }

        return (inputs, counted);
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
