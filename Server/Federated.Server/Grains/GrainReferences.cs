namespace Federated.Server.Grains;

/// <summary>
/// References to grains by key. The factory finds out by reflection, in every call, what an interface and its grain are called; at a thousand check-ins and updates a round that
/// was a fifteenth of the server's processor time. Here it is found out once for each interface.
/// </summary>
internal static class GrainReferences
{
    /// <summary>The grain of a key, as <see cref="IGrainFactory"/> gives it.</summary>
    public static TGrain Of<TGrain>(this IGrainFactory grains, string key)
        where TGrain : class, IGrainWithStringKey
    {
        if (Names<TGrain>.Known is { } names)
        {
            return (TGrain)grains.GetGrain(GrainId.Create(names.Grain, key), names.Interface);
        }

        TGrain found = grains.GetGrain<TGrain>(key);
        Names<TGrain>.Known = found is GrainReference reference ? new Pair(reference.GrainId.Type, reference.InterfaceType) : null;
        return found;
    }

    private sealed record Pair(GrainType Grain, GrainInterfaceType Interface);

    // The names are the same in every host: they stand on the types.
    private static class Names<TGrain>
    {
        public static Pair? Known { get; set; }
    }
}
