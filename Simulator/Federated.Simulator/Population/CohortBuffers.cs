using System.Buffers;

namespace Federated.Simulator.Population;

/// <summary>
/// The pool that a cohort of virtual devices takes its round buffers from. The shared pool keeps fewer arrays than a large cohort needs,
/// and memory that it lets go is cleared by the system page by page when the next round asks for it.
/// </summary>
internal static class CohortBuffers
{
    private const int LargestBufferBytes = 1 << 30;

    /// <summary>A pool that keeps one buffer for each device of a cohort.</summary>
    public static ArrayPool<byte> For(int cohortSize) => ArrayPool<byte>.Create(LargestBufferBytes, cohortSize);
}
