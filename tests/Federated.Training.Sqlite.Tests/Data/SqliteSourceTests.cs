using System.Globalization;
using Federated.Client.Data;

namespace Federated.Training.Sqlite.Tests.Data;

public sealed class SqliteSourceTests
{
    [Theory]
    [InlineData("label=kind")]
    [InlineData("target=x")]
    [InlineData("label=kind,slice=20:100")]
    [InlineData("label=kind,slice=20:100,holdout=0.3,limit=11,seed=5")]
    public void Load_SameTableAsCsv_GivesTheSameExamples(string keys)
    {
        using Database database = new("CREATE TABLE t (x, y, kind)");
        string csv = Path.Combine(database.Folder, "t.csv");
        using (StreamWriter lines = new(csv))
        {
            using Microsoft.Data.Sqlite.SqliteConnection connection = database.Open();
            lines.WriteLine("x,y,kind");
            for (int i = 0; i < 150; i++)
            {
                string row = string.Create(CultureInfo.InvariantCulture, $"{i * 0.37},{i * i},{i % 3}");
                lines.WriteLine(row);
                Database.Run(connection, $"INSERT INTO t VALUES ({row})");
            }
        }

        DeviceExamples expected = DataSourceSpec.Parse($"csv:path={csv},{keys}").Open(TimeProvider.System);
        foreach (string rows in new[] { "table=t", $"queryFile={database.Query("SELECT * FROM t")}" })
        {
            DataSourceSpec spec = DataSourceSpec.Parse($"sqlite:path={database.Path},{rows},{keys}");
            DeviceExamples examples = spec.Part(SqliteSource.Load(spec));

            Assert.Equal(Content(expected.Training), Content(examples.Training));
            Assert.Equal(Content(expected.HeldOut), Content(examples.HeldOut));
            Assert.NotEmpty(Content(examples.Training));
        }
    }

    private static List<float> Content(IExampleSource source)
    {
        List<float> all = [];
        for (int i = 0; i < source.Count; i++)
        {
            float[] features = new float[source.Format.FeatureLength];
            long[] classes = new long[source.Format.LabelType == Federated.Shared.Models.ElementType.Int64 ? 1 : 0];
            float[] targets = new float[1 - classes.Length];
            source.CopyTo([i], classes.Length > 0 ? new ExampleBatch(features, classes) : new ExampleBatch(features, [], [], targets));
            all.AddRange([.. features, .. classes.Select(c => (float)c), .. targets]);
        }

        return all;
    }
}
