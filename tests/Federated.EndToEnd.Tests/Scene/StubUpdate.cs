using System.Runtime.InteropServices;
using Federated.Shared.Models;
using Federated.Shared.Protocol;
using Federated.Shared.Protos;
using Federated.Shared.Randomness;
using Google.Protobuf;

namespace Federated.EndToEnd.Tests.Scene;

/// <summary>What a stub device contributes to a round: known to the test number by number.</summary>
/// <param name="DeviceId">The device.</param>
/// <param name="JobId">The job.</param>
/// <param name="Round">The round.</param>
/// <param name="ModelVersion">The version it starts from.</param>
/// <param name="Delta">[P].</param>
/// <param name="Weight">Examples.</param>
internal sealed record StubUpdate(string DeviceId, string JobId, long Round, long ModelVersion, float[] Delta, int Weight)
{
    /// <summary>The update that this device always gives to this plan.</summary>
    public static StubUpdate For(string deviceId, PlanDocument plan) => For(deviceId, plan.JobId, plan.Round, plan.ModelVersion, plan.ParameterCount);

    /// <summary>The same from its parts: non-zero, different for every device and round.</summary>
    public static StubUpdate For(string deviceId, string jobId, long round, long modelVersion, int parameters)
    {
        SeededGenerator generator = SeededGenerator.For(20, "stub", (ulong)round, deviceId);
        float[] delta = new float[parameters];
        for (int i = 0; i < delta.Length; i++)
        {
            delta[i] = (float)generator.NextGaussian();
        }

        return new StubUpdate(deviceId, jobId, round, modelVersion, delta, 1 + generator.NextInt(97));
    }

    /// <summary>The document.</summary>
    public UpdateDocument ToDocument() => new()
    {
        JobId = JobId,
        Round = Round,
        ModelVersion = ModelVersion,
        Encoding = UpdateEncoding.DenseFloat32,
        ExampleCount = Weight,
        StepCount = 1,
        MeanLoss = 0.5,
        ParameterCount = Delta.Length,
        Body = MemoryMarshal.AsBytes<float>(Delta).ToArray(),
    };

    /// <summary>The payload.</summary>
    public byte[] ToPayload() => ToDocument().ToBytes();

    /// <summary>A truthful header for a payload of this device and round.</summary>
    public SubmitHeader HeaderFor(byte[] payload) => new()
    {
        ProtocolVersion = ProtocolLimits.Version,
        DeviceId = DeviceId,
        JobId = JobId,
        Round = (ulong)Round,
        Sha256 = ByteString.CopyFrom(ContentHash.Of(payload).ToBytes()),
        LengthBytes = (ulong)payload.Length,
        Costs = new ClientCosts { ComputeSeconds = 1e-6 },
    };
}
