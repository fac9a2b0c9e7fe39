using System.ComponentModel;
using Orleans.Runtime;

namespace Federated.Server.Storage.Tests.Storage;

public sealed class StoreFailureTests
{
    [Fact]
    public void ReasonOf_ErrorOfTheSystem_IsWhatItSaidWithoutTheFile()
    {
        IOException full = new("No space left on device : '/data/~1'", 28);

        Assert.Equal("No space left on device", StoreFailure.ReasonOf(full));
        Assert.Equal("No space left on device", StoreFailure.ReasonOf(new IOException("Blob 'a' cannot be written.", full)));
        Assert.Equal("No space left on device", StoreFailure.ReasonOf(new IOException("Cannot flush the directory '/data'.", new Win32Exception(28))));
    }

    // As Orleans throws it when a grain's state is not written.
    [Fact]
    public void ReasonOf_StateOfAGrainThatWasNotWritten_IsTheStores()
    {
        OrleansException full = new("Error from storage provider\nExc level 0: …", new IOException("No space left on device : '/data/~1'", 28));
        OrleansException answered = new("Error from storage provider\nExc level 0: …", new IOException("the service answered 503."));

        Assert.True(StoreFailure.Is(full));
        Assert.Equal("No space left on device", StoreFailure.ReasonOf(full));
        Assert.Equal("the service answered 503", StoreFailure.ReasonOf(answered));
        Assert.False(StoreFailure.Is(new OrleansException("Error from storage provider")));
    }

    [Fact]
    public void ReasonOf_NotTheStores_IsItsMessageWhateverIsInside()
    {
        InvalidDataException unreadable = new("The held-out examples cannot be read", new IOException("Input/output error", 5));

        Assert.False(StoreFailure.Is(unreadable));
        Assert.Equal("The held-out examples cannot be read", StoreFailure.ReasonOf(unreadable));
    }

    [Fact]
    public void ReasonOf_AnythingElse_IsItsMessage()
    {
        IOException answered = new("Cannot write blob 'a': the service answered 403 AuthenticationFailed.");

        Assert.Null(StoreFailure.OfTheSystem(answered));
        Assert.Equal("Cannot write blob 'a': the service answered 403 AuthenticationFailed", StoreFailure.ReasonOf(answered));
    }
}
