using System.Runtime.CompilerServices;
using Federated.Modeling.Gradients;
using Federated.Modeling.Tests.Cases;

namespace Federated.Modeling.Tests;

public sealed class OperatorReferenceTests
{
    private const string Start = "<!-- operators: generated from the code -->\n";
    private const string End = "<!-- end of operators -->\n";

    private static string PublishedPath([CallerFilePath] string source = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(source)!, "../../docs/MODELS.md"));

    /// <summary>To publish a change of the operators, run this test with FEDERATED_WRITE_OPERATORS=1 once.</summary>
    [Fact]
    public void Markdown_PublishedBlock_IsTheSame()
    {
        string page = File.ReadAllText(PublishedPath());
        int start = page.IndexOf(Start, StringComparison.Ordinal) + Start.Length;
        int end = page.IndexOf(End, StringComparison.Ordinal);
        Assert.True(start >= Start.Length && end >= start, $"docs/MODELS.md lacks the lines '{Start.Trim()}' and '{End.Trim()}'.");
        if (Environment.GetEnvironmentVariable("FEDERATED_WRITE_OPERATORS") == "1")
        {
            page = page[..start] + OperatorReference.Markdown() + page[end..];
            end = start + OperatorReference.Markdown().Length;
            File.WriteAllText(PublishedPath(), page);
        }

        Assert.Equal(OperatorReference.Markdown(), page[start..end]);
    }

    [Fact]
    public void ByOperator_EveryRule_HasANote() => Assert.Equal(GradientRules.Default.Operators, OperatorNotes.ByOperator.Keys);

    // The inputs that a note names are the operands that some case differentiates with respect to.
    [Fact]
    public void ByOperator_Differentiable_AreAsManyAsTheCasesHave() => Assert.All(
        OperatorNotes.ByOperator.Where(n => n.Value.Differentiable != "all"),
        note => Assert.Equal(note.Value.Differentiable.Split(", ").Length, OperatorCases.All.Where(c => c.Operator == note.Key).Max(c => c.Instance(0).Operands.Length)));
}
