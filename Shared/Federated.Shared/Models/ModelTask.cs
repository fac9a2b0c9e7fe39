using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;

namespace Federated.Shared.Models;

/// <summary>What a model is asked to do, which decides its labels, its loss and its quality measure.</summary>
public enum ModelTask
{
    /// <summary>One class an example, or one a position; the loss is cross-entropy, quality is the share of right answers.</summary>
    [JsonStringEnumMemberName("classification")]
    Classification,

    /// <summary>
    /// The next token at every position. The labels are the tokens moved by one; a position with a negative label is not counted. The loss is
    /// cross-entropy over what is counted, quality is the share of tokens foretold rightly.
    /// </summary>
    [JsonStringEnumMemberName("causal-lm")]
    CausalLm,

    /// <summary>Numbers; the loss is the mean squared error, quality is the mean absolute error.</summary>
    [JsonStringEnumMemberName("regression")]
    Regression,

    /// <summary>A vector an example that points where its label points; the loss is 1 − cosine similarity, quality is the mean similarity.</summary>
    [JsonStringEnumMemberName("embedding")]
    Embedding,
}

/// <summary>Types of elements that features and labels may have.</summary>
[SuppressMessage("Naming", "CA1720:Identifier contains type name", Justification = "The names of types are what is listed.")]
public enum ElementType
{
    /// <summary>32-bit floating point.</summary>
    [JsonStringEnumMemberName("float32")]
    Float32,

    /// <summary>64-bit integers: tokens and classes.</summary>
    [JsonStringEnumMemberName("int64")]
    Int64,
}
