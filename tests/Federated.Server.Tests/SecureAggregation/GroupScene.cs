using Federated.Server.SecureAggregation;
using Federated.Shared.Models;
using Federated.Shared.Protos;
using Federated.Shared.Randomness;
using Federated.Shared.SecureAggregation;
using Federated.Shared.SecureAggregation.Client;

namespace Federated.Server.Tests.SecureAggregation;

/// <summary>
/// One group: a server and its clients, with what each of them sends laid open, so that a test can lose, change or replay any message.
/// Devices are numbered from 1; their identifiers sort like their numbers, so a device is the member of that number.
/// </summary>
internal sealed class GroupScene : IDisposable
{
    private static readonly Lock _keysLock = new();
    private static readonly List<DeviceSigningKey> _keys = [];

    private readonly DeviceSigningKey _serverKey = DeviceSigningKey.Create();

    public GroupScene(int devices, Func<GroupHeader, GroupHeader>? change = null, Func<int, ContentHash>? modelOf = null, ulong seed = 1)
    {
        GroupHeader header = new()
        {
            JobId = "job-1",
            Round = 3,
            Group = 0,
            Model = ContentHash.Of([1]),
            Plan = ContentHash.Of([2]),
            FieldCount = 20,
            WidthBits = 16,
            MinField = -20,
            MaxField = 20,
            MinMembers = 3,
            MaxMembers = Math.Max(3, devices),
        };
        Header = change?.Invoke(header) ?? header;
        Devices = new Directory(devices);
        Ids = [.. Enumerable.Range(1, devices).Select(Id)];
        Terms = new ServerTerms(Devices, 2);
        Server = new SecureAggregationServer(Header, _serverKey, Ids, Terms);
        Inputs = [.. Enumerable.Range(1, devices).Select(device => Input(device, seed))];
        Clients = [.. Enumerable.Range(1, devices).Select(device => new SecureAggregationClient(
            ClientTerms(device), new ClientInput(FieldVector.Of(Inputs[device - 1], Header.WidthBits), modelOf?.Invoke(device) ?? Header.Model)))];
    }

    public GroupHeader Header { get; }

    public Directory Devices { get; }

    public string[] Ids { get; }

    public ServerTerms Terms { get; }

    public SecureAggregationServer Server { get; set; }

    /// <summary>The plain fields of device u at [u − 1].</summary>
    public uint[][] Inputs { get; }

    public SecureAggregationClient[] Clients { get; }

    /// <summary>Every message the server received, in order.</summary>
    public List<(string Device, GroupClientMessage Message)> Transcript { get; } = [];

    public static string Id(int device) => $"device-{device:D5}";

    public ClientTerms ClientTerms(int device) => new()
    {
        DeviceId = Id(device),
        SigningKey = KeyOf(device),
        Devices = Devices,
        ServerKey = _serverKey.ToVerifyingKey(),
        JobId = "job-1",
        Round = 3,
        Group = 0,
        Plan = Header.Plan,
        AcceptsNeighbourGraph = true,
        MaxMembers = 2_000,
        MinAdversarialPermille = 5,
    };

    public SecureAggregationClient Client(int device) => Clients[device - 1];

    public static DeviceSigningKey KeyOf(int device)
    {
        lock (_keysLock)
        {
            while (_keys.Count < device)
            {
                _keys.Add(DeviceSigningKey.Create());
            }

            return _keys[device - 1];
        }
    }

    /// <summary>
    /// Runs the whole protocol; devices in <paramref name="gone"/>[k] vanish before their answer of round k: 0, 2, 3, 4 or 5.
    /// </summary>
    public void Run(params (int Round, int[] Devices)[] gone)
    {
        HashSet<int> lost = [];
        Dictionary<string, GroupServerMessage> messages = Ids.ToDictionary(id => id, _ => Server.Invitation);
        foreach (int round in new[] { 0, 2, 3, 4, 5 })
        {
            lost.UnionWith(gone.Where(part => part.Round == round).SelectMany(part => part.Devices));
            messages = Step(messages, device => !lost.Contains(device));
        }
    }

    /// <summary>Delivers messages to devices and their answers to the server, then closes the step.</summary>
    public Dictionary<string, GroupServerMessage> Step(IReadOnlyDictionary<string, GroupServerMessage> messages, Func<int, bool>? answers = null)
    {
        for (int device = 1; device <= Ids.Length; device++)
        {
            if (messages.TryGetValue(Id(device), out GroupServerMessage? message) && answers?.Invoke(device) != false)
            {
                Send(device, Client(device).Receive(Wire(message)));
            }
        }

        return new Dictionary<string, GroupServerMessage>(Server.CloseStep());
    }

    /// <summary>
    /// Runs up to the point where clients wait for the answer to round <paramref name="round"/>: 2 the roster, 3 shares, 4 survivors, 5
    /// consistency.
    /// </summary>
    public Dictionary<string, GroupServerMessage> Until(int round, Func<int, bool>? answers = null)
    {
        Dictionary<string, GroupServerMessage> messages = Ids.ToDictionary(id => id, _ => Server.Invitation);
        foreach (int step in new[] { 2, 3, 4, 5 }.TakeWhile(step => step <= round))
        {
            messages = Step(messages, answers);
        }

        return messages;
    }

    /// <summary>Hands the server a message.</summary>
    public MemberReply Send(int device, GroupClientMessage message)
    {
        GroupClientMessage received = GroupClientMessage.Parser.ParseFrom(Google.Protobuf.MessageExtensions.ToByteArray(message));
        Transcript.Add((Id(device), received));
        return Server.Receive(Id(device), received);
    }

    /// <summary>A message as it comes out of its bytes: nothing is shared with the sender.</summary>
    public static GroupServerMessage Wire(GroupServerMessage message) =>
        GroupServerMessage.Parser.ParseFrom(Google.Protobuf.MessageExtensions.ToByteArray(message));

    /// <summary>The sum of the plain fields of some devices modulo 2^b.</summary>
    public uint[] PlainSum(IEnumerable<int> devices)
    {
        ulong mask = (1UL << Header.WidthBits) - 1;
        uint[] sum = new uint[Header.FieldCount];
        foreach (int device in devices)
        {
            for (int i = 0; i < sum.Length; i++)
            {
                sum[i] = (uint)(((ulong)sum[i] + Inputs[device - 1][i]) & mask);
            }
        }

        return sum;
    }

    /// <summary>Demands the exact sum of these devices.</summary>
    public void DemandSumOf(params IEnumerable<int> devices)
    {
        int[] contributors = [.. devices];
        Assert.True(Server.Step == ServerStep.Finished, Server.AbandonReason ?? Server.Step.ToString());
        FieldVector sum = Server.Sum!.Fields;
        Assert.Equal(PlainSum(contributors), Enumerable.Range(0, sum.Length).Select(i => sum[i]));
        Assert.Equal(contributors.Select(Id), Server.Sum.Contributors);
    }

    public void Dispose()
    {
        foreach (SecureAggregationClient client in Clients)
        {
            client.Dispose();
        }

        _serverKey.Dispose();
    }

    private uint[] Input(int device, ulong seed)
    {
        SeededGenerator random = SeededGenerator.For(seed, "input", (ulong)device);
        uint mask = uint.MaxValue >> (32 - Header.WidthBits);
        int span = (int)Math.Min(1_000_000, Header.MaxField - Header.MinField + 1);
        return [.. Enumerable.Range(0, Header.FieldCount).Select(_ => unchecked((uint)(Header.MinField + random.NextInt(span))) & mask)];
    }

    /// <summary>Public keys by device identifier.</summary>
    internal sealed class Directory : IEnrolledDevices
    {
        private readonly Dictionary<string, DeviceVerifyingKey> _byId = [];

        public Directory(int devices)
        {
            for (int device = 1; device <= devices; device++)
            {
                _byId.Add(Id(device), KeyOf(device).ToVerifyingKey());
            }
        }

        public DeviceVerifyingKey? Find(string deviceId) => _byId.GetValueOrDefault(deviceId);

        public void Remove(int device) => _byId.Remove(Id(device));
    }
}
