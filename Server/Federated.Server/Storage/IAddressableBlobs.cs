namespace Federated.Server.Storage;

/// <summary>A store whose blobs can be read from elsewhere, by whoever has an address that the store has signed.</summary>
internal interface IAddressableBlobs
{
    /// <summary>An address under which this one blob can be read by HTTP, and nothing else be done, until the time given. Asks the store nothing.</summary>
    Uri ReadAddress(string name, DateTimeOffset until);
}
