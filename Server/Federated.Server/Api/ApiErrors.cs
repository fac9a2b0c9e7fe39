using System.Text.Json;
using Federated.Server.Jobs;
using Federated.Server.Storage;
using Federated.Shared.Protocol;

namespace Federated.Server.Api;

/// <summary>Gives every failed request under <c>/api</c> the same body, also those that no route has seen: wrong verb, unreadable body, unknown path.</summary>
internal sealed class ApiErrors(RequestDelegate next, ILogger<ApiErrors> logger)
{
    /// <summary>Passes the request on and maps what comes back.</summary>
    public async Task InvokeAsync(HttpContext context)
    {
        if (!context.Request.Path.StartsWithSegments("/api"))
        {
            await next(context);
            return;
        }

        try
        {
            await next(context);
        }
        catch (Exception e) when (!context.Response.HasStarted && !(e is OperationCanceledException && context.RequestAborted.IsCancellationRequested))
        {
            await Describe(e, context).ExecuteAsync(context);
            return;
        }

        if (context.Response is { HasStarted: false, ContentType: null, StatusCode: >= 400 and < 500 })
        {
            await Describe(context).ExecuteAsync(context);
        }
    }

    private IResult Describe(Exception e, HttpContext context)
    {
        switch (e)
        {
            case InvalidSettingsException settings:
                return FederatedApi.Error(ErrorCode.InvalidSetting, settings.Message, settings.Problems);
            case ProtocolViolationException violation:
                return FederatedApi.Error(violation.Code, violation.Message);
            case BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge } large:
                return FederatedApi.Error(ErrorCode.LimitExceeded, large.Message);
            case BadHttpRequestException bad:
                return FederatedApi.Error(ErrorCode.MalformedDocument, bad.InnerException is JsonException json ? json.Message : bad.Message);
            case JsonException text:
                return FederatedApi.Error(ErrorCode.MalformedDocument, text.Message);
            case IOException when context.RequestAborted.IsCancellationRequested:
                return Results.StatusCode(StatusCodes.Status499ClientClosedRequest);
            case { } failure when StoreFailure.Is(failure):
                ApiLog.Failed(logger, context.Request.Method, context.Request.Path, e);
                return FederatedApi.Error(ErrorCode.Internal, StoreFailure.Told(e));
            default:
                ApiLog.Failed(logger, context.Request.Method, context.Request.Path, e);
                return FederatedApi.Error(ErrorCode.Internal, "The server could not serve the request.");
        }
    }

    private static IResult Describe(HttpContext context)
    {
        (ErrorCode code, string detail) = context.Response.StatusCode switch
        {
            StatusCodes.Status404NotFound => (ErrorCode.NotFound, $"There is nothing at {context.Request.Path}."),
            StatusCodes.Status405MethodNotAllowed => (ErrorCode.MalformedDocument, $"{context.Request.Path} does not take {context.Request.Method}; it takes {context.Response.Headers.Allow}."),
            StatusCodes.Status415UnsupportedMediaType => (ErrorCode.MalformedDocument, "The body must be JSON, with Content-Type: application/json."),
            StatusCodes.Status413PayloadTooLarge => (ErrorCode.LimitExceeded, "The body is too large."),
            _ => (ErrorCode.MalformedDocument, "The request cannot be read."),
        };
        return FederatedApi.Error(code, detail, statusCode: context.Response.StatusCode);
    }
}
