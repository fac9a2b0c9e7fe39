namespace Federated.Server.Hosting;

/// <summary>The server does not start because of what it was told: one option, or several that do not go together. The message names it and the way out.</summary>
public sealed class RefusedOptionsException(string message, Exception? inner = null) : Exception(message, inner);
