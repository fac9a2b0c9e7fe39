using Federated.Training;
using Federated.Training.Sqlite;

namespace Federated.Client.Data;

/// <summary>
/// Databases of SQLite as a data source. Part of the client only in a build with <c>-p:SqliteSource=true</c>: it needs a native library of its own.
/// </summary>
internal static class SqliteSource
{
    /// <summary>Reads what a specification of the kind names.</summary>
    /// <exception cref="IOException">A file is missing or cannot be read, or the database is locked.</exception>
    /// <exception cref="InvalidDataException">The file is no database, or its rows are no examples.</exception>
    public static IExampleSource Load(DataSourceSpec spec) => SqliteExamples.Load(new SqliteOptions
    {
        Path = spec["path"],
        Table = spec.Find(DataSourceSpec.TableKey),
        QueryFile = spec.Find(DataSourceSpec.QueryFileKey),
        LabelColumn = spec.Find(DataSourceSpec.LabelKey) ?? spec[DataSourceSpec.TargetKey],
        LabelIsNumber = spec.Find(DataSourceSpec.TargetKey) is not null,
    });
}
