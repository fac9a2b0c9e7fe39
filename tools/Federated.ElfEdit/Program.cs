using Federated.ElfEdit;

if (args is not [string input, string output, string library, string version])
{
    await Console.Error.WriteLineAsync(
        "Usage: Federated.ElfEdit INPUT OUTPUT LIBRARY VERSION\n"
        + "Copies the shared library INPUT to OUTPUT; a need for VERSION of LIBRARY that no code uses is made optional in the copy.");
    return 2;
}

try
{
    byte[] image = await File.ReadAllBytesAsync(input);
    bool changed = VersionNeeds.Weaken(image, library, version);

    // A new file under its final name only when complete: OUTPUT may be a hard link to a file that others use, and the build may stop.
    string partial = output + ".partial";
    File.Delete(partial);
    await File.WriteAllBytesAsync(partial, image);
    File.Move(partial, output, overwrite: true);
    Console.WriteLine($"{output}: the need for {version} of {library} {(changed ? "is optional now" : "needs no change")}.");
    return 0;
}
catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
{
    await Console.Error.WriteLineAsync($"{input}: error : {e.Message}");
    return 1;
}
