using Microsoft.Extensions.DependencyInjection.Extensions;
using Orleans.Runtime.Hosting;

namespace Federated.Server.Storage;

/// <summary>Registers the blob store and what stands on it.</summary>
public static class StorageRegistration
{
    /// <summary>The name under which grains ask for their persistent state, unless another is given.</summary>
    public const string GrainStorageName = "federated";

    /// <summary>
    /// Adds <see cref="IBlobStore"/> and <see cref="ContentStore"/> as singletons. The store is opened when it is first resolved: a folder
    /// that another server uses makes that fail with an <see cref="IOException"/>, one that cannot be used with a <see cref="Hosting.RefusedOptionsException"/>.
    /// </summary>
    /// <exception cref="Microsoft.Extensions.Options.OptionsValidationException">The options cannot be used.</exception>
    public static IServiceCollection AddFederatedStorage(this IServiceCollection services, StorageOptions options)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<IBlobStore>(provider => options.Kind == StorageKind.Azure
            ? new AzureBlobStore(options.ConnectionString!, options.Container)
            : new FileBlobStore(
                options.Path,
                new FileBlobStoreOptions { FlushToDisk = options.FlushToDisk },
                provider.GetRequiredService<TimeProvider>(),
                provider.GetService<ILogger<FileBlobStore>>()));
        services.AddSingleton<ContentStore>();
        services.AddSingleton(provider => new ObjectAddresses(provider.GetRequiredService<IBlobStore>(), options, provider.GetRequiredService<TimeProvider>()));
        return services;
    }

    /// <summary>Keeps persistent grain state of the given storage name as JSON in the registered <see cref="IBlobStore"/>.</summary>
    public static ISiloBuilder AddBlobGrainStorage(this ISiloBuilder builder, string name = GrainStorageName)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        builder.Services.AddGrainStorage(name, static (provider, _) => ActivatorUtilities.CreateInstance<BlobGrainStorage>(provider));
        return builder;
    }
}
