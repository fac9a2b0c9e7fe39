namespace Federated.Testing;

/// <summary>Finds the folder of the clone that the tests were built in.</summary>
public static class RepositoryRoot
{
    /// <summary>The nearest folder above the test binaries that holds <c>Federated.sln</c>.</summary>
    /// <exception cref="InvalidOperationException">There is none.</exception>
    public static string Find()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Federated.sln")))
            {
                return folder.FullName;
            }
        }

        throw new InvalidOperationException($"No folder above '{AppContext.BaseDirectory}' holds Federated.sln; run the tests from their build output inside the clone.");
    }
}
