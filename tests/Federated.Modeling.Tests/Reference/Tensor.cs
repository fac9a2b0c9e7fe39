namespace Federated.Modeling.Tests.Reference;

/// <summary>A row-major float64 tensor; whole numbers and truth values (1, 0) are held as float64 too.</summary>
internal sealed record Tensor(double[] Values, int[] Shape)
{
    public int Rank => Shape.Length;

    public int Length => Values.Length;

    public static Tensor Zeros(params int[] shape) => new(new double[Count(shape)], shape);

    public static Tensor Scalar(double value) => new([value], []);

    public static int Count(IEnumerable<int> shape) => shape.Aggregate(1, (product, d) => product * d);

    /// <summary>Position of an element: the odometer of a shape.</summary>
    public static int[] Position(int flat, int[] shape)
    {
        int[] position = new int[shape.Length];
        for (int i = shape.Length - 1; i >= 0; i--)
        {
            position[i] = flat % shape[i];
            flat /= shape[i];
        }

        return position;
    }

    public int Flat(ReadOnlySpan<int> position)
    {
        int flat = 0;
        for (int i = 0; i < Shape.Length; i++)
        {
            flat = (flat * Shape[i]) + position[i];
        }

        return flat;
    }

    public double this[params ReadOnlySpan<int> position]
    {
        get => Values[Flat(position)];
        set => Values[Flat(position)] = value;
    }

    /// <summary>The element that broadcasting shows at a position of a larger shape.</summary>
    public double Broadcast(int[] position)
    {
        int[] own = new int[Rank];
        for (int i = 0; i < Rank; i++)
        {
            own[i] = Shape[i] == 1 ? 0 : position[position.Length - Rank + i];
        }

        return this[own];
    }

    /// <summary>A tensor of a shape, each element computed from its position.</summary>
    public static Tensor Make(int[] shape, Func<int[], double> element)
    {
        Tensor result = Zeros(shape);
        for (int i = 0; i < result.Length; i++)
        {
            result.Values[i] = element(Position(i, shape));
        }

        return result;
    }
}
