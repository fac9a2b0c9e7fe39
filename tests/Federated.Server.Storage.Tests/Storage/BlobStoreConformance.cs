using System.Text;

namespace Federated.Server.Storage.Tests.Storage;

/// <summary>What <see cref="IBlobStore"/> promises; every implementation runs all of it.</summary>
public abstract class BlobStoreConformance
{
    public abstract IBlobStore Store { get; }

    protected static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Read_AfterWrite_GivesContentAndETag()
    {
        string eTag = await Write("a/b.bin", "one");

        Blob? blob = await Store.ReadAsync("a/b.bin", Token);

        Assert.NotNull(blob);
        Assert.Equal("one", Encoding.UTF8.GetString(blob.Content.Span));
        Assert.Equal(eTag, blob.ETag);
    }

    [Fact]
    public async Task Write_Again_ReplacesAllAndChangesTheETag()
    {
        string first = await Write("a", "a long first version");

        string second = await Write("a", "short");
        string third = await Write("a", "short");

        Assert.Equal("short", await ReadText("a"));
        Assert.Equal(3, new HashSet<string> { first, second, third }.Count);
    }

    [Fact]
    public async Task Everything_OnAnAbsentBlob_SaysSo()
    {
        await Write("there/x", "1");

        foreach (string name in new[] { "absent", "there/absent", "there", "there/x/below" })
        {
            Assert.Null(await Store.ReadAsync(name, Token));
            Assert.Null(await Store.OpenReadAsync(name, 0, Token));
            Assert.Null(await Store.OpenReadAsync(name, 5, Token));
            Assert.Null(await Store.LengthAsync(name, Token));
            Assert.False(await Store.ExistsAsync(name, Token));
            Assert.False(await Store.DeleteAsync(name, WriteCondition.Always, Token));
            Assert.False(await Store.DeleteAsync(name, WriteCondition.IfMatch("1-1"), Token));
        }
    }

    [Fact]
    public async Task Write_IfAbsent_ConflictsOnceTheBlobExists()
    {
        await Write("a", "first", WriteCondition.IfAbsent);

        BlobConflictException e = await Assert.ThrowsAsync<BlobConflictException>(() => Write("a", "second", WriteCondition.IfAbsent));

        Assert.Equal("a", e.BlobName);
        Assert.Same(WriteCondition.IfAbsent, e.Expected);
        Assert.Equal("first", await ReadText("a"));
    }

    [Fact]
    public async Task Write_IfMatch_WantsTheCurrentVersion()
    {
        string first = await Write("a", "first");
        string second = await Write("a", "second", WriteCondition.IfMatch(first));

        await Assert.ThrowsAsync<BlobConflictException>(() => Write("a", "stale", WriteCondition.IfMatch(first)));
        Assert.Equal("second", await ReadText("a"));

        Assert.True(await Store.DeleteAsync("a", WriteCondition.IfMatch(second), Token));
        await Assert.ThrowsAsync<BlobConflictException>(() => Write("a", "gone", WriteCondition.IfMatch(second)));
        Assert.False(await Store.ExistsAsync("a", Token));
    }

    [Fact]
    public async Task Delete_IfMatch_WantsTheCurrentVersion()
    {
        string first = await Write("a", "first");
        await Write("a", "second");

        await Assert.ThrowsAsync<BlobConflictException>(() => Store.DeleteAsync("a", WriteCondition.IfMatch(first), Token));
        Assert.True(await Store.ExistsAsync("a", Token));

        Assert.True(await Store.DeleteAsync("a", WriteCondition.Always, Token));
        Assert.False(await Store.ExistsAsync("a", Token));
        await Assert.ThrowsAsync<ArgumentException>(() => Store.DeleteAsync("a", WriteCondition.IfAbsent, Token));
    }

    [Fact]
    public async Task Write_AfterDelete_NeverRepeatsAnETag()
    {
        string first = await Write("a", "same");
        await Store.DeleteAsync("a", WriteCondition.Always, Token);

        Assert.NotEqual(first, await Write("a", "same", WriteCondition.IfAbsent));
    }

    [Fact]
    public async Task Write_IfAbsentByMany_ExactlyOneWins()
    {
        string?[] winners = await Task.WhenAll(Enumerable.Range(0, 16).Select(i => Try($"writer {i}", WriteCondition.IfAbsent)));

        Assert.Equal(Assert.Single(winners, winner => winner is not null), await ReadText("contended"));
    }

    [Fact]
    public async Task Write_IfMatchByMany_ExactlyOneWinsEachVersion()
    {
        string eTag = await Write("contended", "start");
        for (int version = 0; version < 5; version++)
        {
            string?[] winners = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Try($"{version} by {i}", WriteCondition.IfMatch(eTag))));

            Blob? blob = await Store.ReadAsync("contended", Token);
            Assert.NotNull(blob);
            Assert.Equal(Assert.Single(winners, winner => winner is not null), Encoding.UTF8.GetString(blob.Content.Span));
            eTag = blob.ETag;
        }
    }

    [Fact]
    public async Task Read_WhileBeingReplaced_SeesWholeVersions()
    {
        await Write("hot", new string('0', 200_000));
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(Token);
        Task reading = Task.Run(
            async () =>
            {
                while (!stop.IsCancellationRequested)
                {
                    string text = await ReadText("hot");
                    Assert.Equal(200_000 + text[0] - '0', text.Length);
                    Assert.Equal(-1, text.AsSpan().IndexOfAnyExcept(text[0]));
                }
            },
            Token);

        for (int version = 1; version <= 40; version++)
        {
            await Write("hot", new string((char)('0' + version % 10), 200_000 + version % 10));
        }

        await stop.CancelAsync();
        await reading;
    }

    [Fact]
    public async Task List_OfAPrefix_IsOrdinalAndComplete()
    {
        string[] names = ["a-b", "a.b", "a/b", "a/c/d", "a0", "B", "b/.hidden", "b/_", "ab/x", "z"];
        foreach (string name in names)
        {
            await Write(name, name);
        }

        foreach (string prefix in new[] { "", "a", "a/", "a/c", "a/c/", "b/.", "b/..", "B", "none", "none/at/all", "a/b/c" })
        {
            List<string> listed = [];
            await foreach (string name in Store.ListAsync(prefix, Token))
            {
                listed.Add(name);
            }

            Assert.Equal(names.Where(name => name.StartsWith(prefix, StringComparison.Ordinal)).Order(StringComparer.Ordinal), listed);
        }
    }

    [Fact]
    public async Task OpenRead_AtAnOffset_GivesTheRest()
    {
        await Write("a", "0123456789");

        Assert.Equal("0123456789", await ReadText("a", 0));
        Assert.Equal("3456789", await ReadText("a", 3));
        Assert.Equal("9", await ReadText("a", 9));
        Assert.Equal("", await ReadText("a", 10));
        ArgumentOutOfRangeException beyond = await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => ReadText("a", 11));
        Assert.Contains("10 bytes", beyond.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => ReadText("a", -1));
    }

    [Fact]
    public async Task Write_OfNothing_IsABlobOfLengthZero()
    {
        await Write("empty", "");

        Assert.True(await Store.ExistsAsync("empty", Token));
        Assert.Equal(0, await Store.LengthAsync("empty", Token));
        Assert.Equal("", await ReadText("empty"));
        Assert.Equal("", await ReadText("empty", 0));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => ReadText("empty", 1));
    }

    [Fact]
    public async Task Write_Of30MegabytesInSegments_ComesBackWhole()
    {
        byte[] content = new byte[30_000_000];
        for (int i = 0; i < content.Length; i += 4)
        {
            BitConverter.TryWriteBytes(content.AsSpan(i), unchecked(i * 2654435761u));
        }

        await Store.WriteAsync("large", Sequences.Split(content, 65_521), WriteCondition.Always, Token);

        Blob? blob = await Store.ReadAsync("large", Token);
        Assert.True(blob is not null && blob.Content.Span.SequenceEqual(content), "The bytes differ.");
        Assert.Equal(content.Length, await Store.LengthAsync("large", Token));
        await using Stream? rest = await Store.OpenReadAsync("large", 29_000_001, Token);
        using MemoryStream copy = new();
        await rest!.CopyToAsync(copy, Token);
        Assert.True(copy.ToArray().AsSpan().SequenceEqual(content.AsSpan(29_000_001)), "The rest differs.");
    }

    [Theory]
    [InlineData("")]
    [InlineData("/")]
    [InlineData("/etc/passwd")]
    [InlineData("a/")]
    [InlineData("a//b")]
    [InlineData(".")]
    [InlineData("..")]
    [InlineData("../outside")]
    [InlineData("a/../../outside")]
    [InlineData("a/./b")]
    [InlineData("ends.")]
    [InlineData("a\\b")]
    [InlineData("a b")]
    [InlineData("a\0b")]
    [InlineData("~lock")]
    [InlineData("ümlaut")]
    [InlineData("C:stream")]
    public async Task Everything_WithARefusedName_Throws(string name)
    {
        await Assert.ThrowsAsync<ArgumentException>(() => Write(name, "x"));
        await Assert.ThrowsAsync<ArgumentException>(() => Store.ReadAsync(name, Token));
        await Assert.ThrowsAsync<ArgumentException>(() => Store.OpenReadAsync(name, 0, Token));
        await Assert.ThrowsAsync<ArgumentException>(() => Store.DeleteAsync(name, WriteCondition.Always, Token));
        await Assert.ThrowsAsync<ArgumentException>(() => Store.ExistsAsync(name, Token));
        await Assert.ThrowsAsync<ArgumentException>(() => Store.LengthAsync(name, Token));
    }

    [Theory]
    [InlineData("../")]
    [InlineData("/")]
    [InlineData("a//")]
    [InlineData("a/../b")]
    [InlineData("*")]
    public async Task List_OfARefusedPrefix_Throws(string prefix) => await Assert.ThrowsAsync<ArgumentException>(async () =>
    {
        await foreach (string name in Store.ListAsync(prefix, Token))
        {
            Assert.Fail($"Listed {name}.");
        }
    });

    [Fact]
    public async Task Names_UpToTheLimits_AreAccepted()
    {
        string longest = new string('a', BlobNames.MaxSegmentLength) + '/' + new string('b', BlobNames.MaxSegmentLength) + "/c";
        Assert.Equal(513, longest.Length);
        await Write(longest[1..], "x");
        Assert.Equal("x", await ReadText(longest[1..]));

        await Assert.ThrowsAsync<ArgumentException>(() => Write(longest, "x"));
        await Assert.ThrowsAsync<ArgumentException>(() => Write(new string('a', BlobNames.MaxSegmentLength + 1), "x"));
    }

    [Fact]
    public async Task Everything_WithACancelledToken_IsCancelled()
    {
        CancellationToken cancelled = new(canceled: true);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Store.WriteAsync("a", Sequences.Of("x"), WriteCondition.Always, cancelled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Store.LengthAsync("a", cancelled));
        Assert.False(await Store.ExistsAsync("a", Token));
    }

    protected Task<string> Write(string name, string text, WriteCondition? condition = null) =>
        Store.WriteAsync(name, Sequences.Of(text), condition ?? WriteCondition.Always, Token);

    protected async Task<string> ReadText(string name)
    {
        Blob? blob = await Store.ReadAsync(name, Token);
        Assert.NotNull(blob);
        return Encoding.UTF8.GetString(blob.Content.Span);
    }

    private async Task<string> ReadText(string name, long offset)
    {
        await using Stream? stream = await Store.OpenReadAsync(name, offset, Token);
        Assert.NotNull(stream);
        using StreamReader reader = new(stream, Encoding.UTF8);
        return await reader.ReadToEndAsync(Token);
    }

    private async Task<string?> Try(string text, WriteCondition condition)
    {
        try
        {
            await Write("contended", text, condition);
            return text;
        }
        catch (BlobConflictException)
        {
            return null;
        }
    }
}
