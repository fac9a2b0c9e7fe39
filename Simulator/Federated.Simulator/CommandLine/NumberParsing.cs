using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Numerics;
using Federated.Server.Hosting;

namespace Federated.Simulator.CommandLine;

/// <summary>Refuses what is no number by option, value and what is allowed, where the command line's library would name a type of .NET.</summary>
internal static class NumberParsing
{
    /// <summary>Makes the options of a command and of all below it read their numbers so, but for those that read them themselves.</summary>
    public static void AddTo(Command command)
    {
        foreach (Option option in command.Options)
        {
            AddTo(option);
        }

        foreach (Command verb in command.Subcommands)
        {
            AddTo(verb);
        }
    }

    /// <summary>Reads a number of threads, 1 to 1024.</summary>
    public static int Threads(ArgumentResult result)
    {
        string text = result.Tokens[0].Value;
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int threads) && threads is >= 1 and <= ServerOptions.MaxThreads)
        {
            return threads;
        }

        Refuse(result, text, $"a whole number 1 to {ServerOptions.MaxThreads}");
        return 1;
    }

    /// <summary>Refuses numbers beyond a range as well.</summary>
    public static void Limit<T>(Option<T> option, T least, T most)
        where T : struct, INumber<T>, IMinMaxValue<T> => option.CustomParser = result =>
        {
            if (Each<T>(result) is not [T number])
            {
                return default;
            }

            if (number < least || number > most)
            {
                Refuse(result, result.Tokens[0].Value, FormattableString.Invariant($"{least} to {most}"));
            }

            return number;
        };

    private static void AddTo(Option option)
    {
        switch (option)
        {
            case Option<int> { CustomParser: null } number:
                number.CustomParser = One<int>;
                break;
            case Option<int?> { CustomParser: null } number:
                number.CustomParser = result => One<int>(result);
                break;
            case Option<int[]> { CustomParser: null } numbers:
                numbers.CustomParser = Each<int>;
                break;
            case Option<ulong> { CustomParser: null } number:
                number.CustomParser = One<ulong>;
                break;
            case Option<ulong?> { CustomParser: null } number:
                number.CustomParser = result => One<ulong>(result);
                break;
            case Option<ulong[]> { CustomParser: null } numbers:
                numbers.CustomParser = Each<ulong>;
                break;
            case Option<double> { CustomParser: null } number:
                number.CustomParser = One<double>;
                break;
            case Option<double[]> { CustomParser: null } numbers:
                numbers.CustomParser = Each<double>;
                break;
        }
    }

    private static T One<T>(ArgumentResult result)
        where T : struct, INumber<T>, IMinMaxValue<T> => Each<T>(result) is [T number] ? number : default;

    private static T[] Each<T>(ArgumentResult result)
        where T : struct, INumber<T>, IMinMaxValue<T>
    {
        List<T> numbers = [];
        foreach (Token token in result.Tokens)
        {
            if (T.TryParse(token.Value, typeof(T) == typeof(double) ? NumberStyles.Float : NumberStyles.None, CultureInfo.InvariantCulture, out T number) && T.IsFinite(number))
            {
                numbers.Add(number);
            }
            else
            {
                Refuse(result, token.Value, typeof(T) == typeof(double) ? "a number" : $"a whole number 0 to {T.MaxValue}");
            }
        }

        return [.. numbers];
    }

    private static void Refuse(ArgumentResult result, string text, string allowed) =>
        result.AddError($"{((OptionResult)result.Parent!).Option.Name}: {text} is not allowed; allowed is {allowed}");
}
