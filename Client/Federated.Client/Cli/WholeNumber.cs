using System.CommandLine.Parsing;
using System.Globalization;

namespace Federated.Client.Cli;

/// <summary>Reads whole numbers from the command line.</summary>
internal static class WholeNumber
{
    /// <summary>Reads an option's value; one that is none, or out of range, is an error that names option, value and range.</summary>
    public static long Parse(ArgumentResult result, string option, long least, long most)
    {
        string text = result.Tokens.Count == 1 ? result.Tokens[0].Value : "";
        if (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long value) && value >= least && value <= most)
        {
            return value;
        }

        result.AddError($"{option} is '{text}'; allowed are whole numbers from {least} to {most}.");
        return least;
    }
}
