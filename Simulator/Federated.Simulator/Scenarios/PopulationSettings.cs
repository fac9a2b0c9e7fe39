using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Federated.Server.Jobs;
using Federated.Simulator.Population;
using Federated.Training.Data;

namespace Federated.Simulator.Scenarios;

/// <summary>The simulated devices and how examples are dealt to them.</summary>
internal sealed record PopulationSettings : ISettings
{
    [Description("How many devices.")]
    [Range(1, 100_000)]
    public int Devices { get; init; } = 100;

    [Description("iid: shuffled and dealt evenly; shards: sorted by label, shardsPerDevice shards each; dirichlet: label proportions from Dir(alpha); natural: each author of a corpus.")]
    public PartitionScheme Partition { get; init; } = PartitionScheme.Iid;

    [Description("shards: shards a device, so that it sees about as many labels; 2 when left out.")]
    [Range(1, 1_000)]
    public int? ShardsPerDevice { get; init; }

    [Description("dirichlet: concentration; large is near to iid, small gives devices of one label; 0.5 when left out.")]
    [Range(1e-6, 1e6)]
    public double? Alpha { get; init; }

    [Description("idx: how devices see their images, in turn: the first device in the first variant, and so on; plain when left out.")]
    [Length(1, 16)]
    public IReadOnlyList<ImageVariant>? Variants { get; init; }

    [Description("Kinds of devices in the fleet; one desktop profile when left out.")]
    [Length(1, 100)]
    public IReadOnlyList<ProfileSettings>? Profiles { get; init; }

    /// <summary>The profiles as the fleet model takes them.</summary>
    public IReadOnlyList<FleetProfile> ToProfiles() =>
        Profiles is null ? [FleetProfile.Desktop] : [.. Profiles.Select(profile => profile.ToProfile())];

    /// <inheritdoc/>
    public IEnumerable<SettingProblem> Validate(string path)
    {
        if (ShardsPerDevice is not null && Partition != PartitionScheme.Shards)
        {
            yield return Unused(path, "shardsPerDevice", "shards");
        }

        if (Alpha is not null && Partition != PartitionScheme.Dirichlet)
        {
            yield return Unused(path, "alpha", "dirichlet");
        }

        if (Variants is not null && Partition == PartitionScheme.Natural)
        {
            yield return new SettingProblem(SettingProblem.At(path, "variants"), "this key with partition = natural", "leave variants out: texts have none");
        }

        HashSet<string> names = new(StringComparer.Ordinal);
        for (int i = 0; i < (Profiles?.Count ?? 0); i++)
        {
            if (!names.Add(Profiles![i].Name))
            {
                yield return new SettingProblem($"{SettingProblem.At(path, "profiles")}[{i}].name", Profiles[i].Name, "a name that no other profile has");
            }
        }
    }

    private SettingProblem Unused(string path, string key, string scheme) => new(
        SettingProblem.At(path, key), $"this key with partition = {Partition.ToString().ToLowerInvariant()}", $"partition = {scheme}; or leave {key} out");
}

/// <summary>One kind of device. It feeds modelled completion times and the energy estimate, never a real delay.</summary>
internal sealed record ProfileSettings
{
    [Description("Names the kind; a label of its devices.")]
    [Identifier]
    public required string Name { get; init; }

    [Description("Part of the fleet, relative to the other profiles' shares.")]
    [Range(0.0, 1e6, MinimumIsExclusive = true)]
    public double Share { get; init; } = 1;

    [Description("Training examples a second.")]
    [Range(0.0, 1e9, MinimumIsExclusive = true)]
    public double ExamplesPerSecond { get; init; } = FleetProfile.Desktop.ExamplesPerSecond;

    [Description("Bytes a second it downloads.")]
    [Range(0.0, 1e12, MinimumIsExclusive = true)]
    public double DownlinkBytesPerSecond { get; init; } = FleetProfile.Desktop.DownlinkBytesPerSecond;

    [Description("Bytes a second it uploads.")]
    [Range(0.0, 1e12, MinimumIsExclusive = true)]
    public double UplinkBytesPerSecond { get; init; } = FleetProfile.Desktop.UplinkBytesPerSecond;

    [Description("Power while it trains, in watts; 0 when unknown.")]
    [Range(0.0, 1e6)]
    public double Watts { get; init; }

    [Description("Energy of a byte sent or received, in joules; 0 when unknown.")]
    [Range(0.0, 1.0)]
    public double JoulesPerByte { get; init; }

    /// <summary>The same as the fleet model takes it.</summary>
    public FleetProfile ToProfile() => new()
    {
        Name = Name,
        Share = Share,
        ExamplesPerSecond = ExamplesPerSecond,
        DownlinkBytesPerSecond = DownlinkBytesPerSecond,
        UplinkBytesPerSecond = UplinkBytesPerSecond,
        Watts = Watts,
        JoulesPerByte = JoulesPerByte,
    };
}
