using Federated.Client.Cli;
using Federated.Client.Transport;

SystemAuthorities.Hide();
return await CommandLine.RunAsync(args, Console.Out, Console.Error, CancellationToken.None).ConfigureAwait(false);
