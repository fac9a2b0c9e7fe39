namespace Federated.Training.Data;

/// <summary>The same image seen otherwise.</summary>
public enum ImageVariant
{
    /// <summary>As it is.</summary>
    Plain,

    /// <summary>Dark for light: 1 − x.</summary>
    Inverted,

    /// <summary>Turned by a quarter, clockwise.</summary>
    Rotated90,

    /// <summary>Upside down.</summary>
    Rotated180,

    /// <summary>Turned by a quarter, against the clock.</summary>
    Rotated270,

    /// <summary>Left for right.</summary>
    Mirrored,

    /// <summary>Turned by 30 degrees, clockwise, to the nearest pixel; what comes from outside is 0.</summary>
    Rotated30,

    /// <summary>Turned by 45 degrees, clockwise.</summary>
    Rotated45,

    /// <summary>Turned by 45 degrees, against the clock.</summary>
    Rotated315,

    /// <summary>Turned by 30 degrees, against the clock.</summary>
    Rotated330,

    /// <summary>Dark for light and turned by 30 degrees, clockwise; what comes from outside is 1.</summary>
    InvertedRotated30,

    /// <summary>Dark for light and turned by 30 degrees, against the clock.</summary>
    InvertedRotated330,
}
