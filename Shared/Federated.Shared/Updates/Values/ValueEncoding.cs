namespace Federated.Shared.Updates.Values;

/// <summary>How the values of an encoded vector are written. Numbers are wire format.</summary>
public enum ValueEncoding
{
    /// <summary>Little-endian float32.</summary>
    RawFloat32 = 1,

    /// <summary>Blocks of 256 with a common scale, 8 bits a value.</summary>
    Block8 = 2,

    /// <summary>Blocks of 256 with a common scale, 4 bits a value.</summary>
    Block4 = 3,

    /// <summary>Blocks of 256 with a common scale, 2 bits a value: −1, 0 or 1.</summary>
    Block2 = 4,

    /// <summary>One magnitude for all and a sign for each.</summary>
    Sign = 5,
}
