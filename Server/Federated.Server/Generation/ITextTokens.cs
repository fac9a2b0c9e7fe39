namespace Federated.Server.Generation;

/// <summary>The tokens that a language model reads and writes text as.</summary>
internal interface ITextTokens
{
    /// <summary>The tokens of a text.</summary>
    IReadOnlyList<int> Encode(string text);

    /// <summary>The text of tokens.</summary>
    string Decode(IEnumerable<int> tokens);
}
