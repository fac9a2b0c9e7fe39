using Federated.Simulator.Central;
using Federated.Training;
using Microsoft.Extensions.Time.Testing;

namespace Federated.Simulator.Tests.Central;

public sealed class ProgressExamplesTests
{
    [Fact]
    public void CopyTo_HoursLeft_TellsThemAsHours()
    {
        List<string> told = [];
        FakeTimeProvider time = new();
        ProgressExamples examples = new(new NoExamples(), batches: 10_001, told.Add, time);

        examples.CopyTo([], default);
        time.Advance(TimeSpan.FromSeconds(2));
        examples.CopyTo([], default);

        Assert.EndsWith(", 5 h 33 min left", Assert.Single(told), StringComparison.Ordinal);
    }

    private sealed class NoExamples : IExampleSource
    {
        public int Count => 0;

        public ExampleFormat Format => throw new InvalidOperationException("Nobody trains.");

        public void CopyTo(ReadOnlySpan<int> indices, ExampleBatch batch)
        {
        }
    }
}
