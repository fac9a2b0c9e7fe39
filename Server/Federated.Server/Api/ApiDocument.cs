using System.Globalization;
using Federated.Server.Access;
using Federated.Shared.Protocol;
using Microsoft.AspNetCore.Authorization;
using Microsoft.OpenApi;
using Scalar.AspNetCore;

namespace Federated.Server.Api;

/// <summary>The OpenAPI document of the API and a page that shows it; both come from this process alone.</summary>
internal static class ApiDocument
{
    /// <summary>Where the document lies.</summary>
    public const string Path = "/api/openapi.json";

    /// <summary>Where the page lies.</summary>
    public const string ReferencePath = "/api/reference";

    private const string Name = "v1";

    /// <summary>Says what a route is for and what it answers, for the document.</summary>
    public static RouteHandlerBuilder Says<T>(this RouteHandlerBuilder route, string summary, string tag, int status = StatusCodes.Status200OK, string? mediaType = null) =>
        route.Produces<T>(status, mediaType).WithSummary(summary).WithTags(tag);

    /// <summary>Adds what builds the document.</summary>
    public static void AddApiDocument(this IServiceCollection services) => services.AddOpenApi(Name, options =>
    {
        options.AddDocumentTransformer((document, _, _) =>
        {
            document.Info = new OpenApiInfo
            {
                Title = "Federated",
                Version = Name,
                Description = "Reading needs the role viewer, everything else operator, where access is demanded. A request that fails is answered with an ApiError.",
            };
            document.Servers?.Clear();
            document.AddComponent("token", new OpenApiSecurityScheme { Type = SecuritySchemeType.Http, Scheme = "bearer", Description = "An access token." } as IOpenApiSecurityScheme);
            document.Security = [new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference("token", document)] = [] }];
            return Task.CompletedTask;
        });
        options.AddOperationTransformer((operation, context, _) =>
        {
            operation.Responses ??= [];
            bool reads = HttpMethods.IsGet(context.Description.HttpMethod ?? "");
            bool demandsOperator = !reads || context.Description.ActionDescriptor.EndpointMetadata.OfType<IAuthorizeData>().Any(demand => demand.Policy == AccessPolicies.Operator);
            operation.Description = $"Role: {(demandsOperator ? AccessPolicies.Operator : AccessPolicies.Viewer)}.";
            foreach (int status in ErrorCatalogue.Entries.Select(entry => entry.HttpStatus).Where(status => status is 400 or 401 or 403 or 404 or 409 or 422).Distinct().Order())
            {
                operation.Responses.TryAdd(status.ToString(CultureInfo.InvariantCulture), new OpenApiResponse { Description = "An ApiError: code, error, detail, advice, problems." });
            }

            return Task.CompletedTask;
        });
    });

    /// <summary>Adds document and page, for whoever may look.</summary>
    public static void MapApiDocument(this WebApplication app)
    {
        app.MapOpenApi(Path).RequireAuthorization(AccessPolicies.Viewer);
        app.MapScalarApiReference(ReferencePath, (options, context) =>
        {
            string nonce = Convert.ToBase64String(System.Security.Cryptography.RandomNumberGenerator.GetBytes(16));
            options
                .WithTitle("Federated API")
                .WithOpenApiRoutePattern(Path)
                .WithNonce(nonce)
                .DisableDefaultFonts()
                .DisableTelemetry()
                .DisableAgent()
                .DisableMcp()
                .HideDeveloperTools();
            options.DynamicBaseServerUrl = true;

            // The page sets itself up in an inline script; this one, and nothing from elsewhere.
            context.Response.Headers.ContentSecurityPolicy = PortGuard.PolicyWith($"script-src 'self' 'nonce-{nonce}'");
        }).RequireAuthorization(AccessPolicies.Viewer);
    }
}
