using static TorchSharp.torch;

namespace Federated.Training.Torch.Operators;

/// <summary>Computes the one output of a node; what its attributes say is already bound.</summary>
/// <param name="inputs">The node's inputs in the operator's order; null where an optional one is left out.</param>
internal delegate Tensor TorchOperator(IReadOnlyList<Tensor?> inputs);
