using Federated.Server.Hosting;
using Federated.Server.Jobs;
using Federated.Server.Rounds;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Serialization;

namespace Federated.Server.Tests.Grains;

public sealed class GrainSerializationTests
{
    // A round's record names every contributor; a page that reads a job's records must not copy them all.
    [Fact]
    public void What_cannot_change_is_handed_over_within_a_process_not_copied()
    {
        using ServiceProvider services = new ServiceCollection().AddGrainSerialization().BuildServiceProvider();
        DeepCopier copier = services.GetRequiredService<DeepCopier>();
        RoundRecord record = new()
        {
            JobId = "job", Round = 1, Outcome = RoundOutcome.Committed, ModelVersion = 1, AdapterSha256 = "00", Goal = 1, Selected = 1, Accepted = 1, Contributors = ["a"],
        };
        JobStatus status = new() { JobId = "job", Name = "job", Population = "default", State = JobState.Running };

        Assert.Same(record, copier.Copy(record));
        Assert.Same(status, copier.Copy(status));
        Assert.Same(record, Assert.Single(copier.Copy<IReadOnlyList<RoundRecord>>(new List<RoundRecord> { record })));
    }
}
