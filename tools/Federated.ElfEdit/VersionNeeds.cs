using System.Buffers.Binary;
using System.Text;

namespace Federated.ElfEdit;

/// <summary>
/// Edits the symbol versions that an ELF shared library demands of the libraries it is linked with (section <c>.gnu.version_r</c>; Linux
/// Standard Base Core 5.0, chapter 10.7.4 "Version Requirements"). The dynamic loader refuses a library when a version it needs is missing,
/// even where no code uses a symbol of that version; it only passes over needs marked weak.
/// <para>
/// GCC 13 and later put a reference to <c>_ZSt21ios_base_library_initv</c>, version GLIBCXX_3.4.32, into every object that includes
/// <c>&lt;iostream&gt;</c>, solely so that the loader refuses a libstdc++ which does not initialise the standard streams itself.
/// No instruction and no relocation refers to it. Where another library of the process initialises the streams (libtorch_cpu does, through
/// <c>std::ios_base::Init</c>), the demand may be waived.
/// </para>
/// </summary>
internal static class VersionNeeds
{
    private const int SectionHeaderBytes = 64;
    private const int RelocationWithAddendBytes = 24;
    private const int NeedBytes = 16;
    private const int NeedAuxBytes = 16;
    private const uint RelocationsWithAddend = 4;
    private const uint RelocationsWithoutAddend = 9;
    private const uint VersionNeedSection = 0x6ffffffe;
    private const uint SymbolVersionSection = 0x6fffffff;
    private const ushort WeakFlag = 2;

    /// <summary>
    /// Marks the need for <paramref name="version"/> of <paramref name="library"/> as weak, in place: one bit of <c>vna_flags</c>. A file
    /// without the need, or with the need already weak, stays as it is.
    /// </summary>
    /// <param name="image">A 64-bit little-endian ELF file.</param>
    /// <param name="library">The library's name as the file demands it, for example <c>libstdc++.so.6</c>.</param>
    /// <param name="version">For example <c>GLIBCXX_3.4.32</c>.</param>
    /// <returns>Whether a bit was changed.</returns>
    /// <exception cref="InvalidDataException">
    /// The file is no such ELF file or is cut short, or a relocation uses a symbol of the version, which then is truly needed.
    /// </exception>
    internal static bool Weaken(Span<byte> image, string library, string version)
    {
        try
        {
            return WeakenChecked(image, library, version);
        }
        catch (Exception e) when (e is ArgumentOutOfRangeException or OverflowException or IndexOutOfRangeException)
        {
            throw new InvalidDataException($"The ELF file is cut short or damaged: an offset points outside its {image.Length} bytes.", e);
        }
    }

    private static bool WeakenChecked(Span<byte> image, string library, string version)
    {
        List<Section> sections = ReadSections(image);
        foreach (Section needs in sections.Where(s => s.Type == VersionNeedSection))
        {
            Section names = sections[needs.Link];
            int? found = FindNeed(image, needs, names, library, version);
            if (found is not int aux)
            {
                continue;
            }

            Span<byte> flagBytes = image.Slice(aux + 4, 2);
            ushort flags = BinaryPrimitives.ReadUInt16LittleEndian(flagBytes);
            if ((flags & WeakFlag) != 0)
            {
                return false;
            }

            ushort index = BinaryPrimitives.ReadUInt16LittleEndian(image.Slice(aux + 6, 2));
            RefuseIfRelocated(image, sections, index, version);
            BinaryPrimitives.WriteUInt16LittleEndian(flagBytes, (ushort)(flags | WeakFlag));
            return true;
        }

        return false;
    }

    /// <summary>Finds the <c>Vernaux</c> record of the version within the <c>Verneed</c> record of the library: its file offset.</summary>
    private static int? FindNeed(ReadOnlySpan<byte> image, Section needs, Section names, string library, string version)
    {
        // Both lists end where the distance to the next record is 0; the counts beside them are upper bounds.
        int need = needs.Offset;
        int toNext = NeedBytes;
        for (int n = 0; n < needs.Entries && toNext != 0; n++)
        {
            ReadOnlySpan<byte> record = image.Slice(need, NeedBytes);
            int auxCount = BinaryPrimitives.ReadUInt16LittleEndian(record[2..]);
            if (ReadName(image, names, BinaryPrimitives.ReadUInt32LittleEndian(record[4..])) == library)
            {
                int aux = checked(need + (int)BinaryPrimitives.ReadUInt32LittleEndian(record[8..]));
                int toNextAux = NeedAuxBytes;
                for (int a = 0; a < auxCount && toNextAux != 0; a++)
                {
                    ReadOnlySpan<byte> auxRecord = image.Slice(aux, NeedAuxBytes);
                    if (ReadName(image, names, BinaryPrimitives.ReadUInt32LittleEndian(auxRecord[8..])) == version)
                    {
                        return aux;
                    }

                    toNextAux = checked((int)BinaryPrimitives.ReadUInt32LittleEndian(auxRecord[12..]));
                    aux += toNextAux;
                }
            }

            toNext = checked((int)BinaryPrimitives.ReadUInt32LittleEndian(record[12..]));
            need += toNext;
        }

        return null;
    }

    /// <summary>A relocated symbol without its version would crash when called, later and far away: better refuse now.</summary>
    private static void RefuseIfRelocated(ReadOnlySpan<byte> image, List<Section> sections, ushort versionIndex, string version)
    {
        Section versions = sections.Find(s => s.Type == SymbolVersionSection)
            ?? throw new InvalidDataException("The ELF file needs symbol versions but has no section .gnu.version.");
        foreach (Section relocations in sections)
        {
            if (relocations.Link != versions.Link)
            {
                continue;
            }

            if (relocations.Type == RelocationsWithoutAddend)
            {
                throw new InvalidDataException("The ELF file has dynamic relocations of type REL; 64-bit platforms of this project use RELA.");
            }

            for (int i = 0; relocations.Type == RelocationsWithAddend && i < relocations.Length / RelocationWithAddendBytes; i++)
            {
                int at = relocations.Offset + (i * RelocationWithAddendBytes);
                int symbol = checked((int)(BinaryPrimitives.ReadUInt64LittleEndian(image.Slice(at + 8, 8)) >> 32));
                if (BinaryPrimitives.ReadUInt16LittleEndian(image.Slice(versions.Offset + (2 * symbol), 2)) == versionIndex)
                {
                    throw new InvalidDataException(
                        $"The relocation at file offset {at} uses symbol {symbol} of version {version}: the version is truly needed. "
                        + "Run on a system that provides it.");
                }
            }
        }
    }

    private static List<Section> ReadSections(ReadOnlySpan<byte> image)
    {
        const int headerBytes = 64;
        if (image.Length < headerBytes || !image[..6].SequenceEqual("\u007fELF\u0002\u0001"u8))
        {
            throw new InvalidDataException("This is not a 64-bit little-endian ELF file.");
        }

        long table = checked((long)BinaryPrimitives.ReadUInt64LittleEndian(image[40..]));
        int entryBytes = BinaryPrimitives.ReadUInt16LittleEndian(image[58..]);
        int count = BinaryPrimitives.ReadUInt16LittleEndian(image[60..]);
        if (count == 0 || entryBytes != SectionHeaderBytes)
        {
            throw new InvalidDataException($"The ELF file has {count} section headers of {entryBytes} bytes; at least one of {SectionHeaderBytes} is needed.");
        }

        List<Section> sections = new(count);
        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<byte> header = image.Slice(checked((int)(table + (i * SectionHeaderBytes))), SectionHeaderBytes);
            sections.Add(new Section(
                BinaryPrimitives.ReadUInt32LittleEndian(header[4..]),
                checked((int)BinaryPrimitives.ReadUInt64LittleEndian(header[24..])),
                checked((int)BinaryPrimitives.ReadUInt64LittleEndian(header[32..])),
                checked((int)BinaryPrimitives.ReadUInt32LittleEndian(header[40..])),
                checked((int)BinaryPrimitives.ReadUInt32LittleEndian(header[44..]))));
        }

        return sections;
    }

    private static string ReadName(ReadOnlySpan<byte> image, Section names, uint offset)
    {
        ReadOnlySpan<byte> rest = image.Slice(names.Offset, names.Length)[checked((int)offset)..];
        return Encoding.ASCII.GetString(rest[..rest.IndexOf((byte)0)]);
    }

    /// <summary>What matters of a section header. <c>Entries</c> is <c>sh_info</c>, which for version needs counts the records.</summary>
    private sealed record Section(uint Type, int Offset, int Length, int Link, int Entries);
}
