using Microsoft.ML.OnnxRuntime;

namespace Federated.Training.Engine;

/// <summary>Which files a graph that ONNX Runtime opens may read. A graph in a file reads what lies beside it or below; the runtime refuses the rest.</summary>
public static class GraphFiles
{
    // Nothing is ever put there.
    private static readonly string _nowhere = Path.Combine(AppContext.BaseDirectory, "a-graph-in-memory-has-no-files");

    /// <summary>
    /// Lets a graph in memory read no file. The runtime would look for its external data in the folder that the program runs in, so that a package
    /// could read what lies there, a device's key as well, and give it away as a gradient.
    /// </summary>
    public static void Deny(SessionOptions session)
    {
        ArgumentNullException.ThrowIfNull(session);
        session.AddSessionConfigEntry("session.model_external_initializers_file_folder_path", _nowhere);
    }
}
