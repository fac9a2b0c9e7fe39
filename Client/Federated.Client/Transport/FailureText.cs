using Federated.Shared.Protocol;

namespace Federated.Client.Transport;

/// <summary>What failed, as a person reads it: with the number and name of its code, by which the documents are keyed.</summary>
internal static class FailureText
{
    /// <summary>The message; behind it the code where there is one, and what to do about what a server refused.</summary>
    public static string Of(Exception failure) => failure switch
    {
        ServerLinkException { Code: { } code } => $"{failure.Message} ({ErrorCatalogue.NameOf(code)}: {ErrorCatalogue.For(code).Advice})",
        ProtocolViolationException { Code: var code } => $"{failure.Message} ({ErrorCatalogue.NameOf(code)})",
        _ => failure.Message,
    };
}
