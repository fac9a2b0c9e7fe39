namespace Federated.Client.Session;

/// <summary>Where what an agent keeps lies in its state folder.</summary>
/// <param name="path">The folder that <c>--state</c> names.</param>
internal sealed class StateFolder(string path)
{
    /// <summary>The folder itself.</summary>
    public string Path => path;

    /// <summary>Model packages, by hash.</summary>
    public string Packages => System.IO.Path.Combine(path, "packages");

    /// <summary>What compressed updates have left out, a file a job.</summary>
    public string Residuals => System.IO.Path.Combine(path, "residuals");

    /// <summary>Tensors that stay on the device, a file a job.</summary>
    public string Tensors => System.IO.Path.Combine(path, "tensors");

    /// <summary>Adapters of the last rounds, a file a job.</summary>
    public string Adapters => System.IO.Path.Combine(path, "adapters");

    /// <summary>The rounds whose masked input has left the device, a file a job.</summary>
    public string Masked => System.IO.Path.Combine(path, "masked");

    /// <summary>The device's own models, a file a job.</summary>
    public string Personal => System.IO.Path.Combine(path, "personal");

    /// <summary>What training has used of the day.</summary>
    public string Day => System.IO.Path.Combine(path, "day.json");
}
