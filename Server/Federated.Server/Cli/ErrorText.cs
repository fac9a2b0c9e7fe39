using System.Text.RegularExpressions;

namespace Federated.Server.Cli;

/// <summary>The message of an error as a person reads it: without what .NET puts behind for programmers.</summary>
internal static partial class ErrorText
{
    /// <summary>Drops the names of parameters and the lines of actual values, also of messages inside.</summary>
    public static string Of(Exception error) => Tails().Replace(error.Message, "");

    [GeneratedRegex(@" \(Parameter '\w+'\)|\r?\nActual value was [^\r\n]*")]
    private static partial Regex Tails();
}
