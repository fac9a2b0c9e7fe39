using System.Collections.Concurrent;
using Federated.Server.Grains;

namespace Federated.Server.Collection;

/// <summary>What a device does now, as far as the edge sees it.</summary>
public enum DevicePresence
{
    /// <summary>Its check-in is held: it is in the pool.</summary>
    Waiting,

    /// <summary>It has a plan of an open round and has not ended its part.</summary>
    Training,

    /// <summary>It was told when to come back, or has just ended a round.</summary>
    Resting,

    /// <summary>It has not called for <see cref="FleetCensus.AbsentAfter"/>.</summary>
    Absent,
}

/// <summary>How many devices do what.</summary>
/// <param name="Known">Devices that checked in since the server started.</param>
/// <param name="Waiting">In a pool.</param>
/// <param name="Training">In an open round.</param>
/// <param name="Resting">Neither, but called lately.</param>
/// <param name="Absent">Not heard of lately.</param>
/// <param name="CheckIns">Check-ins answered since the server started.</param>
public sealed record FleetCounts(int Known, int Waiting, int Training, int Resting, int Absent, long CheckIns);

/// <summary>A device as the edge last saw it.</summary>
/// <param name="Profile">What it said of itself.</param>
/// <param name="Population">The population it checked in for.</param>
/// <param name="LastCall">Its last check-in, or the answer to it.</param>
/// <param name="Presence">What it does now.</param>
internal sealed record DeviceSighting(CheckIn Profile, string Population, DateTimeOffset LastCall, DevicePresence Presence);

/// <summary>
/// The devices that checked in since the server started: what they said of themselves and whether they wait. In memory and bounded. Thread-safe.
/// </summary>
internal sealed class FleetCensus(TimeProvider time, TimelineRecorder timelines, bool enabled = true)
{
    /// <summary>After this long without a call a device counts as absent.</summary>
    public static readonly TimeSpan AbsentAfter = TimeSpan.FromMinutes(10);

    /// <summary>Devices remembered; later ones are counted in no place until some have been absent.</summary>
    public const int MaxDevices = 200_000;

    private readonly ConcurrentDictionary<string, Entry> _devices = new(StringComparer.Ordinal);
    private long _checkIns;

    /// <summary>Check-ins answered since the server started.</summary>
    public long CheckIns => Interlocked.Read(ref _checkIns);

    /// <summary>A check-in arrived and is held from now on.</summary>
    public void Arrived(CheckIn profile, string population)
    {
        if (_devices.TryGetValue(profile.DeviceId, out Entry? entry))
        {
            entry.Profile = profile;
            entry.Population = population;
        }
        else
        {
            if (!enabled || _devices.Count >= MaxDevices)
            {
                return;
            }

            entry = _devices.GetOrAdd(profile.DeviceId, new Entry { Profile = profile, Population = population });
        }

        entry.LastCall = time.GetUtcNow();
        Interlocked.Increment(ref entry.Held);
    }

    /// <summary>The check-in was answered, or its call ended.</summary>
    public void Answered(string deviceId)
    {
        Interlocked.Increment(ref _checkIns);
        if (_devices.TryGetValue(deviceId, out Entry? entry))
        {
            entry.LastCall = time.GetUtcNow();
            Interlocked.Decrement(ref entry.Held);
        }
    }

    /// <summary>Every device in ordinal order.</summary>
    public IReadOnlyList<DeviceSighting> Devices()
    {
        HashSet<string> training = timelines.Working();
        return [.. _devices.Values.Select(entry => Sighting(entry, training)).OrderBy(device => device.Profile.DeviceId, StringComparer.Ordinal)];
    }

    /// <summary>One device; null when it has not checked in.</summary>
    public DeviceSighting? Find(string deviceId) =>
        _devices.TryGetValue(deviceId, out Entry? entry) ? Sighting(entry, timelines.Working()) : null;

    /// <summary>The counts.</summary>
    public FleetCounts Count()
    {
        HashSet<string> training = timelines.Working();
        Span<int> counts = stackalloc int[4];
        int known = 0;
        foreach ((string deviceId, Entry entry) in _devices)
        {
            counts[(int)PresenceOf(entry, training.Contains(deviceId))]++;
            known++;
        }

        return new FleetCounts(
            known,
            counts[(int)DevicePresence.Waiting],
            counts[(int)DevicePresence.Training],
            counts[(int)DevicePresence.Resting],
            counts[(int)DevicePresence.Absent],
            CheckIns);
    }

    private DeviceSighting Sighting(Entry entry, HashSet<string> training) =>
        new(entry.Profile, entry.Population, entry.LastCall, PresenceOf(entry, training.Contains(entry.Profile.DeviceId)));

    private DevicePresence PresenceOf(Entry entry, bool training) => training
        ? DevicePresence.Training
        : Volatile.Read(ref entry.Held) > 0
            ? DevicePresence.Waiting
            : time.GetUtcNow() - entry.LastCall > AbsentAfter ? DevicePresence.Absent : DevicePresence.Resting;

    private sealed class Entry
    {
        // Calls held now: a device that connects anew may have two for a moment.
        public int Held;

        public required CheckIn Profile { get; set; }

        public required string Population { get; set; }

        public DateTimeOffset LastCall { get; set; }
    }
}
