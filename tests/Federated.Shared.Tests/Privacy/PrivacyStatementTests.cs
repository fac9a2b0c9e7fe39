using Federated.Shared.Privacy;

namespace Federated.Shared.Tests.Privacy;

public sealed class PrivacyStatementTests
{
    [Fact]
    public void ToString_FixedCohort_ClaimsNoAmplification()
    {
        string text = new PrivacyStatement(3.25, 1e-5, NoisePlace.Clients, 12).ToString();
        Assert.Contains("(3.250, 1E-05)", text, StringComparison.Ordinal);
        Assert.Contains("at most 12 rounds' sums, and nothing is claimed for not being selected", text, StringComparison.Ordinal);
        Assert.Contains("honestly", text, StringComparison.Ordinal);
    }

    [Fact]
    public void ToString_ServerNoise_SaysWhoIsTrusted()
    {
        string text = new PrivacyStatement(1, 1e-6, NoisePlace.Server, 0).ToString();
        Assert.Contains("the server is trusted", text, StringComparison.Ordinal);
    }
}
