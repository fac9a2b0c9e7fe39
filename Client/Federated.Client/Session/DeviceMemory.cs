namespace Federated.Client.Session;

/// <summary>What a device remembers from one round to the next. In memory unless told otherwise, for devices that are simulated or keep no state.</summary>
public sealed record DeviceMemory
{
    /// <summary>What compressed updates have left out.</summary>
    public IResidualStore Residuals { get; init; } = new MemoryResiduals();

    /// <summary>Tensors that stay on the device.</summary>
    public IKeptTensors Kept { get; init; } = new MemoryKeptTensors();

    /// <summary>Adapters of earlier rounds.</summary>
    public IHeldAdapters Held { get; init; } = new MemoryHeldAdapters();

    /// <summary>The rounds whose masked input has left the device.</summary>
    public MaskedRounds Masked { get; init; } = new();

    /// <summary>In the files of a state folder.</summary>
    internal static DeviceMemory In(StateFolder folder) => new()
    {
        Residuals = new FolderResiduals(folder.Residuals),
        Kept = new FolderKeptTensors(folder.Tensors),
        Held = new FolderHeldAdapters(folder.Adapters),
        Masked = new MaskedRounds(folder.Masked),
    };
}
