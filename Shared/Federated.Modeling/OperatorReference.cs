using System.Text;
using Federated.Modeling.Gradients;
using Federated.Modeling.Imports;
using Federated.Modeling.Onnx;
using Federated.Modeling.Shapes;

namespace Federated.Modeling;

/// <summary>The operators a graph may have, as the documents list them: read from the tables of inference, gradient rules and rewrites. Pure.</summary>
public static class OperatorReference
{
    /// <summary>Markdown: the operators with gradients, those without, and those that are written as others. The same code gives the same text.</summary>
    public static string Markdown()
    {
        StringBuilder text = new();
        HashSet<string> differentiable = [.. GradientRules.Default.Operators];
        _ = text.Append($"Files of operator sets {OnnxFile.MinOperatorSet} to {OnnxFile.MaxOperatorSet} are read; graphs are written in {OnnxFile.WrittenOperatorSet}. ")
            .Append("Operands broadcast, axes may be negative, and the first dimension may be a symbol.\n\n")
            .Append("Gradients pass through these operators:\n\n")
            .Append("| Operator | Gradients to | Limits |\n| --- | --- | --- |\n");
        foreach (string operatorType in GradientRules.Default.Operators)
        {
            OperatorNote note = OperatorNotes.ByOperator.GetValueOrDefault(operatorType) ?? new OperatorNote("?");
            _ = text.Append($"| {operatorType} | {note.Differentiable} | {note.Limits} |\n");
        }

        IEnumerable<string> forwardOnly = ShapeInference.Operators.Where(o => !differentiable.Contains(o));
        _ = text.Append("\nThese are computed, and may stand where nothing trainable lies before them:\n")
            .Append($"{string.Join(", ", forwardOnly)}.\n")
            .Append("\nThese are read and written as operators of the first table, or as a newer form of themselves:\n")
            .Append($"{string.Join(", ", Rewritten().Select(o => o.Domain.Length == 0 ? o.OperatorType : $"{o.Domain} {o.OperatorType}"))}.\n");
        return text.ToString();
    }

    private static IEnumerable<(string Domain, string OperatorType)> Rewritten() => NodeRewrites.Operators.Concat(OlderLists.Operators.Select(o => (Domain: "", OperatorType: o)))
        .OrderBy(o => o.Domain, StringComparer.Ordinal).ThenBy(o => o.OperatorType, StringComparer.Ordinal);
}
