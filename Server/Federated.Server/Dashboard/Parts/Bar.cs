namespace Federated.Server.Dashboard.Parts;

/// <summary>A bar with its label.</summary>
/// <param name="Label">What it is.</param>
/// <param name="Value">How long it is.</param>
/// <param name="Text">The figure with its unit.</param>
/// <param name="Tone">A class of its colour; empty for the usual one.</param>
/// <param name="Link">Where the label leads; null for nowhere.</param>
public sealed record Bar(string Label, double Value, string Text, string Tone = "", string? Link = null);
