using Federated.Server.Api;
using Federated.Server.Jobs;
using Federated.Shared.Protocol;
using Federated.Simulator.CommandLine;
using Federated.Simulator.Runs;
using ErrorCode = Federated.Shared.Protocol.ErrorCode;

namespace Federated.Simulator.Tests.CommandLine;

public sealed class ExitCodesTests
{
    public static TheoryData<Exception, int> Ends =>
    [
        new(new InvalidSettingsException([new SettingProblem("job.rounds", "0", "1 and above")]), ExitCodes.BadInput),
        new(new FileNotFoundException(), ExitCodes.BadInput),
        new(new InvalidDataException(), ExitCodes.BadInput),
        new(new UnauthorizedAccessException(), ExitCodes.BadInput),
        new(new RunBrokenException("The run broke off.", new IOException()), ExitCodes.Failed),
        new(new ServerApiException("Nobody is there."), ExitCodes.Failed),
        new(new ServerApiException("It broke.", Said(ErrorCode.Internal)), ExitCodes.Failed),
        new(new ServerApiException("It has no such job.", Said(ErrorCode.NotFound)), ExitCodes.BadInput),
        new(new OperationCanceledException(), ExitCodes.Interrupted),
        new(new InvalidOperationException(), ExitCodes.Failed),
    ];

    [Theory]
    [MemberData(nameof(Ends), DisableDiscoveryEnumeration = true)]
    public void Of_WhatEndedACommand_TellsBadInputFromFailure(Exception exception, int expected) => Assert.Equal(expected, ExitCodes.Of(exception));

    private static ApiError Said(ErrorCode code) => new((int)code, $"{code}", "", ErrorCatalogue.For(code).Advice);
}
