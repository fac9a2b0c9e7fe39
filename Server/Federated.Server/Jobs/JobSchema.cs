namespace Federated.Server.Jobs;

/// <summary>The published schema of a job's file, docs/schemas/job.schema.json.</summary>
public static class JobSchema
{
    /// <summary>The schema's text, byte for byte as it is published.</summary>
    public static string Text { get; } = SettingsSchema.TextOf<JobSpec>("Federated job");
}
