using Federated.Client.Cli;

SystemAuthorities.Ignore();
return await CommandLine.RunAsync(args, Console.Out, Console.Error, CancellationToken.None).ConfigureAwait(false);
