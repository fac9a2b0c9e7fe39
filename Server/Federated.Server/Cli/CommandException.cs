namespace Federated.Server.Cli;

/// <summary>A command cannot do what was asked because of what was given to it. The message is all the person sees.</summary>
internal sealed class CommandException(string message) : Exception(message);
