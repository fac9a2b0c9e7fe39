namespace Federated.Modeling.Onnx;

/// <summary>An ONNX file cannot be read, or it holds something this project does not support. The message names node, operator and value.</summary>
public sealed class OnnxFormatException : Exception
{
    /// <summary>With the message a person reads.</summary>
    public OnnxFormatException(string message)
        : base(message)
    {
    }

    /// <summary>With the message a person reads and what lies beneath it.</summary>
    public OnnxFormatException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
