using Spectre.Console;

namespace Federated.Server.Cli;

/// <summary>How wide the tables of a command line may be.</summary>
internal static class TableWidth
{
    /// <summary>Columns that no table reaches.</summary>
    private const int Unbound = 400;

    /// <summary>Lets tables be as wide as they are where output goes to a pipe or a file, which have no width; a terminal's stays. Call it once, at the start.</summary>
    public static void FitOutput()
    {
        if (Console.IsOutputRedirected)
        {
            AnsiConsole.Profile.Width = Unbound;
        }
    }
}
