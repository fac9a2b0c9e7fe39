using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using Federated.Server.Jobs;

namespace Federated.Server.Tests.Jobs;

public sealed class StrictJsonTests
{
    internal enum Colour
    {
        Red,
        DarkBlue,
    }

    internal sealed record Inner : ISettings
    {
        [Range(1, 10)]
        public int Least { get; init; } = 1;

        [Range(0.0, 1.0, MinimumIsExclusive = true)]
        public double Share { get; init; } = 0.5;

        public int? Most { get; init; }

        public IEnumerable<SettingProblem> Validate(string path)
        {
            if (Most < Least)
            {
                yield return new SettingProblem(SettingProblem.At(path, "most"), $"{Most}", $"{Least} and above");
            }
        }
    }

    internal sealed record Outer
    {
        public required string Name { get; init; }

        public Inner Inner { get; init; } = new();

        public Colour Colour { get; init; }

        public bool Flag { get; init; }

        public ulong Seed { get; init; }

        public IReadOnlyList<Inner> Items { get; init; } = [];

        public IReadOnlyDictionary<string, Inner> Named { get; init; } = new Dictionary<string, Inner>();

        public IReadOnlyList<int>? Numbers { get; init; }
    }

    private static string[] Problems(string json)
    {
        InvalidSettingsException e = Assert.Throws<InvalidSettingsException>(() => StrictJson.Read<Outer>(json));
        Assert.Equal(string.Join(Environment.NewLine, e.Problems), e.Message);
        return [.. e.Problems.Select(problem => problem.ToString())];
    }

    [Fact]
    public void Read_CommentsAndTrailingCommas_AreAllowed()
    {
        Outer read = StrictJson.Read<Outer>("""
            {
              // a comment
              "$schema": "outer.schema.json", "name": "n", "inner": { "least": 2, "most": 3, }, "colour": "darkBlue", /* another */ "numbers": [1, 2,],
              "items": [{ "share": 1 }], "named": { "a": { "least": 4 } }, "seed": 18446744073709551615,
            }
            """);
        Assert.Equal(("n", 2, 3, Colour.DarkBlue, 1.0, 4, ulong.MaxValue), (read.Name, read.Inner.Least, read.Inner.Most, read.Colour, read.Items[0].Share, read.Named["a"].Least, read.Seed));
        Assert.Equal([1, 2], read.Numbers!);
    }

    [Theory]
    [InlineData("""{"name":"n","inner":{"least":0}}""", "inner.least: 0 is not allowed; allowed is 1 to 10")]
    [InlineData("""{"name":"n","inner":{"least":11}}""", "inner.least: 11 is not allowed; allowed is 1 to 10")]
    [InlineData("""{"name":"n","inner":{"share":0}}""", "inner.share: 0 is not allowed; allowed is above 0 to 1")]
    [InlineData("""{"name":"n","inner":{"least":"3"}}""", "inner.least: \"3\" is not allowed; allowed is a whole number: 1 to 10")]
    [InlineData("""{"name":"n","inner":{"least":1.5}}""", "inner.least: 1.5 is not allowed; allowed is a whole number: 1 to 10")]
    [InlineData("""{"name":"n","inner":{"least":99999999999}}""", "inner.least: 99999999999 is not allowed; allowed is a whole number: 1 to 10")]
    [InlineData("""{"name":"n","inner":{"share":1e999}}""", "inner.share: 1e999 is not allowed; allowed is a number: above 0 to 1")]
    [InlineData("""{"name":"n","inner":{"least":5,"most":4}}""", "inner.most: 4 is not allowed; allowed is 5 and above")]
    [InlineData("""{"name":"n","inner":null}""", "inner: null is not allowed; allowed is an object with least, share, most")]
    [InlineData("""{"name":"n","inner":[]}""", "inner: [] is not allowed; allowed is an object with least, share, most")]
    [InlineData("""{"name":"n","inner":{"leest":5}}""", "inner.leest: the unknown key with value 5 is not allowed; allowed is least, share, most; did you mean least?")]
    [InlineData("""{"name":"n","inner":{"Least":5}}""", "inner.Least: the unknown key with value 5 is not allowed; allowed is least, share, most; did you mean least?")]
    [InlineData("""{"name":"n","inner":{"zebra":5}}""", "inner.zebra: the unknown key with value 5 is not allowed; allowed is least, share, most")]
    [InlineData("""{"name":"n","colour":"blue"}""", "colour: \"blue\" is not allowed; allowed is red, darkBlue")]
    [InlineData("""{"name":"n","colour":"DarkBlue"}""", "colour: \"DarkBlue\" is not allowed; allowed is red, darkBlue")]
    [InlineData("""{"name":"n","colour":1}""", "colour: 1 is not allowed; allowed is red, darkBlue")]
    [InlineData("""{"name":"n","flag":"true"}""", "flag: \"true\" is not allowed; allowed is true or false")]
    [InlineData("""{"name":"n","seed":-1}""", "seed: -1 is not allowed; allowed is a whole number 0 to 18446744073709551615")]
    [InlineData("""{"name":7}""", "name: 7 is not allowed; allowed is text")]
    [InlineData("""{"name":null}""", "name: null is not allowed; allowed is text")]
    [InlineData("""{"name":"n","inner":{"$schema":"x"}}""", "inner.$schema: the unknown key with value \"x\" is not allowed; allowed is least, share, most")]
    [InlineData("{}", "name: a missing key is not allowed; allowed is text")]
    [InlineData("[]", "(root): [] is not allowed; allowed is an object with name, inner, colour, flag, seed, items, named, numbers")]
    [InlineData("null", "(root): null is not allowed; allowed is an object with name, inner, colour, flag, seed, items, named, numbers")]
    [InlineData("""{"name":"n","name":"m"}""", "name: a key that stands twice is not allowed; allowed is each key once")]
    [InlineData("""{"name":"n","items":[{},{"least":0}]}""", "items[1].least: 0 is not allowed; allowed is 1 to 10")]
    [InlineData("""{"name":"n","items":[null]}""", "items[0]: null is not allowed; allowed is an object with least, share, most")]
    [InlineData("""{"name":"n","named":{"a":{"least":0}}}""", "named.a.least: 0 is not allowed; allowed is 1 to 10")]
    [InlineData("""{"name":"n","numbers":[1,"x"]}""", "numbers[1]: \"x\" is not allowed; allowed is a whole number -2147483648 to 2147483647")]
    [InlineData("""{"name":"n","numbers":5}""", "numbers: 5 is not allowed; allowed is an array, each entry a whole number -2147483648 to 2147483647")]
    [InlineData("""{"name":"n" "flag":true}""", "(root): the text at line 1, column 13 is not allowed; allowed is JSON; comments and trailing commas may stay")]
    public void Read_OneProblem_IsToldByPathValueAndWhatIsAllowed(string json, string expected) => Assert.Equal([expected], Problems(json));

    [Fact]
    public void Read_ManyProblems_TellsAllOfThem() => Assert.Equal(
        ["inner.least", "inner.most", "colour", "nane", "name"],
        StrictProblems("""{"inner":{"least":20,"most":4},"colour":"x","nane":"n"}""").Select(problem => problem.Path));

    [Fact]
    public void ApplyOverride_EachKindOfValue_IsSet()
    {
        JsonNode root = StrictJson.Parse("""{ "name": "n", "numbers": [1, 2], /* c */ }""");
        StrictJson.ApplyOverride(root, "inner.least=5");
        StrictJson.ApplyOverride(root, "inner.most = 7");
        StrictJson.ApplyOverride(root, "colour=darkBlue");
        StrictJson.ApplyOverride(root, "name=a=b");
        StrictJson.ApplyOverride(root, "numbers.1=9");
        StrictJson.ApplyOverride(root, "items=[{\"share\":0.25}]");
        StrictJson.ApplyOverride(root, "flag=true");
        Outer read = StrictJson.Read<Outer>(root);
        Assert.Equal((5, 7, Colour.DarkBlue, "a=b", 0.25, true), (read.Inner.Least, read.Inner.Most, read.Colour, read.Name, read.Items[0].Share, read.Flag));
        Assert.Equal([1, 9], read.Numbers!);
    }

    [Fact]
    public void ApplyOverride_Null_ClearsAnOptionalValue()
    {
        JsonNode root = StrictJson.Parse("""{ "name": "n", "numbers": [1] }""");
        StrictJson.ApplyOverride(root, "numbers=null");
        Assert.Null(StrictJson.Read<Outer>(root).Numbers);
    }

    [Fact]
    public void ApplyOverride_UnknownPath_IsRefusedWhenRead()
    {
        JsonNode root = StrictJson.Parse("""{ "name": "n" }""");
        StrictJson.ApplyOverride(root, "inner.leest=5");
        StrictJson.ApplyOverride(root, "iner.least=5");
        InvalidSettingsException e = Assert.Throws<InvalidSettingsException>(() => StrictJson.Read<Outer>(root));
        Assert.Equal(["inner.leest", "iner"], e.Problems.Select(problem => problem.Path));
    }

    [Theory]
    [InlineData("inner.least")]
    [InlineData("=5")]
    [InlineData("inner..least=5")]
    [InlineData("name.x=5")]
    [InlineData("name.x.y=5")]
    [InlineData("numbers.2=5")]
    [InlineData("numbers.-1=5")]
    [InlineData("numbers.x=5")]
    public void ApplyOverride_Impossible_IsRefused(string assignment)
    {
        JsonNode root = StrictJson.Parse("""{ "name": "n", "numbers": [1, 2] }""");
        Assert.Throws<InvalidSettingsException>(() => StrictJson.ApplyOverride(root, assignment));
    }

    [Theory]
    [InlineData("{")]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("""{"a":{"b":1,"b":2}}""")]
    public void Parse_NotATree_IsRefused(string json) => Assert.Throws<InvalidSettingsException>(() => StrictJson.Parse(json));

    private static IReadOnlyList<SettingProblem> StrictProblems(string json) =>
        Assert.Throws<InvalidSettingsException>(() => StrictJson.Read<Outer>(json)).Problems;
}
