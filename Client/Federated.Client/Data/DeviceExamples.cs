using Federated.Training;
using Federated.Training.Data;

namespace Federated.Client.Data;

/// <summary>The examples of a device.</summary>
/// <param name="Training">What is trained on.</param>
/// <param name="HeldOut">What is never trained on; none unless the source holds some out.</param>
public sealed record DeviceExamples(IExampleSource Training, IExampleSource HeldOut)
{
    /// <summary>Parts a source.</summary>
    internal static DeviceExamples Of(IExampleSource all, ExampleChoice choice)
    {
        ExampleSplit split = ExampleSplit.Of(all, choice.HoldOut, choice.Limit, choice.Seed);
        return new DeviceExamples(
            split.Training.Length == all.Count ? all : new ExampleSubset(all, split.Training), new ExampleSubset(all, split.HeldOut));
    }
}
