using System.Diagnostics;
using Federated.Testing;

namespace Federated.Server.Storage.Tests.Storage;

public sealed class FileBlobStoreCrashTests
{
    private static readonly TimeSpan _deadline = TimeSpan.FromMinutes(3);

    [Fact]
    public async Task Kill_WhileWriting_LosesNoAcknowledgedVersionAndTearsNone()
    {
        using TemporaryFolder folder = new();
        for (int acknowledgements = 1; acknowledgements <= 6; acknowledgements++)
        {
            long acknowledged = await WriteThenKill(folder.Path, acknowledgements, _ => { });

            using FileBlobStore store = new(folder.Path, new FileBlobStoreOptions(), TimeProvider.System);
            Blob? blob = await store.ReadAsync(CrashWriter.BlobName, TestContext.Current.CancellationToken);
            Assert.NotNull(blob);
            long stored = CrashWriter.Version(blob.Content.Span);
            Assert.True(stored >= acknowledged, $"Version {acknowledged} was acknowledged, {stored} is stored.");
            Assert.Equal(["blob"], Directory.GetFiles(Path.Combine(folder.Path, "crash")).Select(Path.GetFileName));
        }
    }

    [Fact]
    public async Task Open_WhileAnotherProcessOwnsTheFolder_IsRefusedUntilThatOneIsKilled()
    {
        using TemporaryFolder folder = new();
        await WriteThenKill(folder.Path, 1, path =>
        {
            IOException e = Assert.Throws<IOException>(() => new FileBlobStore(path, new FileBlobStoreOptions(), TimeProvider.System));
            Assert.Contains("in use by another server", e.Message, StringComparison.Ordinal);
        });

        using FileBlobStore store = new(folder.Path, new FileBlobStoreOptions(), TimeProvider.System);
        Assert.True(await store.ExistsAsync(CrashWriter.BlobName, TestContext.Current.CancellationToken));
    }

    /// <summary>Returns the last version that the writer acknowledged before SIGKILL.</summary>
    private static async Task<long> WriteThenKill(string folder, int acknowledgements, Action<string> whileItRuns)
    {
        ProcessStartInfo start = new(Environment.ProcessPath!) { RedirectStandardOutput = true };
        start.ArgumentList.Add(CrashWriter.Command);
        start.ArgumentList.Add(folder);
        using Process writer = Process.Start(start)!;
        using CancellationTokenSource deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        deadline.CancelAfter(_deadline);
        long acknowledged = 0;
        try
        {
            for (int i = 0; i < acknowledgements; i++)
            {
                acknowledged = await ReadVersion(writer, deadline.Token) ?? throw new InvalidOperationException("The writer ended by itself.");
            }

            whileItRuns(folder);
        }
        finally
        {
            writer.Kill();
            await writer.WaitForExitAsync(TestContext.Current.CancellationToken);
        }

        while (await ReadVersion(writer, deadline.Token) is long later)
        {
            acknowledged = later;
        }

        return acknowledged;
    }

    private static async Task<long?> ReadVersion(Process writer, CancellationToken cancellationToken)
    {
        string? line = await writer.StandardOutput.ReadLineAsync(cancellationToken);
        return line is null ? null : long.Parse(line);
    }
}
