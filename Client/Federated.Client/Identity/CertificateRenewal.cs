using Federated.Client.Session;
using Federated.Client.Transport;
using Microsoft.Extensions.Logging;

namespace Federated.Client.Identity;

/// <summary>Renews the device's certificate when two thirds of its time are over. A failure is tried again as long as the certificate holds.</summary>
internal sealed partial class CertificateRenewal(DeviceIdentity identity, Uri server, TimeProvider time, ILogger log) : IBeforeCheckIn
{
    private static readonly TimeSpan _pause = TimeSpan.FromMinutes(10);

    private DateTimeOffset _notBefore;

    /// <inheritdoc/>
    public async ValueTask<TimeSpan?> AskAsync(CancellationToken cancellationToken)
    {
        DateTimeOffset now = time.GetUtcNow();
        if (!identity.IsRenewalDue(now) || now < _notBefore)
        {
            return null;
        }

        try
        {
            await EnrollmentCalls.RenewAsync(identity, server, cancellationToken).ConfigureAwait(false);
            LogRenewed(log, identity.CertificateEndsAt);
        }
        catch (Exception e) when ((e is ServerLinkException { Retriable: true } || IsOfThisDevice(e)) && now < identity.CertificateEndsAt)
        {
            _notBefore = now + _pause;
            LogNotRenewed(log, identity.CertificateEndsAt, FailureText.Of(e));
        }
        catch (Exception e) when (IsOfThisDevice(e))
        {
            throw new ServerLinkException($"The renewed certificate cannot be kept: {e.Message}", retriable: true, inner: e);
        }

        return null;
    }

    // A full disk, for one, which may have room again.
    private static bool IsOfThisDevice(Exception e) => e is IOException or UnauthorizedAccessException or InvalidDataException;

    [LoggerMessage(110, LogLevel.Information, "The certificate was renewed; it holds until {End:u}.")]
    private static partial void LogRenewed(ILogger log, DateTimeOffset end);

    [LoggerMessage(111, LogLevel.Warning, "The certificate, which holds until {End:u}, could not be renewed yet. {Detail}")]
    private static partial void LogNotRenewed(ILogger log, DateTimeOffset end, string detail);
}
