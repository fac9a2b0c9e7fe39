using System.Diagnostics;

namespace Federated.EndToEnd.Tests.Scene;

/// <summary>Waits for what another process or thread is about to bring about. The deadline is generous: it decides only how a failure looks.</summary>
internal static class Eventually
{
    /// <summary>How long anything may take on a busy machine.</summary>
    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(120);

    private static readonly TimeSpan _pause = TimeSpan.FromMilliseconds(5);

    /// <summary>Returns the first probe that is not null.</summary>
    /// <param name="what">What the probe waits for, for the message.</param>
    /// <param name="probe">Asks.</param>
    /// <param name="deadline">For what is long by its nature; <see cref="Deadline"/> when null.</param>
    public static async Task<T> GetAsync<T>(string what, Func<Task<T?>> probe, TimeSpan? deadline = null)
        where T : class
    {
        TimeSpan longest = deadline ?? Deadline;
        long start = Stopwatch.GetTimestamp();
        while (true)
        {
            if (await probe() is { } found)
            {
                return found;
            }

            Assert.True(Stopwatch.GetElapsedTime(start) < longest, $"Within {longest} it did not come about that {what}.");
            await Task.Delay(_pause, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>Returns when the condition holds.</summary>
    public static Task HoldsAsync(string what, Func<bool> condition) =>
        GetAsync(what, () => Task.FromResult(condition() ? "holds" : null));
}
