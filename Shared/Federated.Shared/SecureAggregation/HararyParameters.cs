namespace Federated.Shared.SecureAggregation;

/// <summary>
/// Degree and threshold of a random Harary graph, after Bell, Bonawitz, Gascón, Lepoint and Raykova, "Secure single-server aggregation with
/// (poly)logarithmic overhead" (CCS 2020, eprint 2020/704, section 3): the least even degree k for which, with a fraction γ of clients
/// in the server's hand and a fraction δ dropping out, the graph of the others stays connected and no client's neighbourhood holds t
/// adversaries, but with probability 2⁻⁴⁰; and the sum can be unmasked, but with probability 2⁻²⁰.
/// </summary>
/// <param name="Degree">k: neighbours of each member, even.</param>
/// <param name="Threshold">t: shares that give a secret back.</param>
public readonly record struct HararyParameters(int Degree, int Threshold)
{
    private const double SecurityBits = 40;
    private const double CorrectnessBits = 20;

    // Keeps a rate such as 0.29 · 100 from being rounded to the wrong side of a whole number of clients.
    private const double Slack = 1e-12;

    /// <summary>Finds the parameters; null when no degree below n − 1 will do and the graph has to be complete.</summary>
    /// <param name="clients">n, at least 3.</param>
    /// <param name="adversarial">γ in [0, 1).</param>
    /// <param name="dropout">δ in [0, 1).</param>
    /// <param name="semiMalicious">
    /// Whether the server may tell different clients different survivors: then both kinds of shares of one client must not come
    /// together, and t has to exceed half of the neighbours plus half of the adversaries among them.
    /// </param>
    public static HararyParameters? Find(int clients, double adversarial, double dropout, bool semiMalicious = false)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(clients, 3);
        RequireFraction(adversarial, nameof(adversarial));
        RequireFraction(dropout, nameof(dropout));
        LogFactorials factorials = new(clients);
        int adversaries = (int)Math.Floor((adversarial + Slack) * clients);
        int dropped = (int)Math.Floor((dropout + Slack) * clients);
        int surviving = (int)Math.Ceiling((1 - dropout - Slack) * clients);

        // The 40 bits are shared by two events, the graph falling apart and a neighbourhood being taken over, and by all clients.
        double perEvent = -(SecurityBits + 1) * Math.Log(2);
        double security = Math.Exp(perEvent) / clients;
        double correctness = Math.Pow(2, -CorrectnessBits) / clients;
        for (int degree = 2; degree < clients - 1; degree += 2)
        {
            if (LogDisconnection(factorials, clients, degree, Math.Min(clients, adversaries + dropped)) >= perEvent)
            {
                continue;
            }

            double taken = LargestLikely(factorials, clients, adversaries, degree, security);
            if (semiMalicious)
            {
                // 2t > k + adversaries: each honest neighbour answers one kind, each adversary both.
                taken = Math.Ceiling((taken + degree - 1) / 2);
            }

            if (SmallestLikely(factorials, clients, surviving, degree, correctness) > taken)
            {
                return new HararyParameters(degree, Math.Max((int)taken + 1, 2));
            }
        }

        return null;
    }

    // Bound on the probability that removing `removed` of n nodes cuts the ring-like graph: somewhere k/2 successive nodes are gone, and
    // somewhere else too. n(n − k − 1)/2 pairs of places, each with probability C(n − k, removed − k) / C(n, removed).
    private static double LogDisconnection(LogFactorials log, int clients, int degree, int removed) => degree > removed
        ? double.NegativeInfinity
        : Math.Log(clients) + Math.Log(clients - degree - 1) - Math.Log(2)
            + log.Of(removed) + log.Of(clients - degree) - log.Of(clients) - log.Of(removed - degree);

    // The least x with P[X > x] <= probability, X hypergeometric: marked nodes among `degree` drawn ones.
    private static int LargestLikely(LogFactorials log, int clients, int marked, int degree, double probability)
    {
        double tail = 0;
        int x = Math.Min(marked, degree);
        while (x > 0 && tail + log.Hypergeometric(clients, marked, degree, x) <= probability)
        {
            tail += log.Hypergeometric(clients, marked, degree, x);
            x--;
        }

        return x;
    }

    // The least x with P[X <= x] >= probability.
    private static int SmallestLikely(LogFactorials log, int clients, int marked, int degree, double probability)
    {
        double tail = 0;
        for (int x = Math.Max(0, degree - (clients - marked)); x < degree; x++)
        {
            tail += log.Hypergeometric(clients, marked, degree, x);
            if (tail >= probability)
            {
                return x;
            }
        }

        return degree;
    }

    private static void RequireFraction(double value, string name)
    {
        if (!(value >= 0 && value < 1))
        {
            throw new ArgumentOutOfRangeException(name, value, "A fraction of clients is at least 0 and below 1.");
        }
    }

    private sealed class LogFactorials
    {
        private readonly double[] _values;

        public LogFactorials(int max)
        {
            _values = new double[max + 1];
            for (int i = 2; i <= max; i++)
            {
                _values[i] = _values[i - 1] + Math.Log(i);
            }
        }

        public double Of(int n) => _values[n];

        // P[x of the marked among `drawn` out of n].
        public double Hypergeometric(int n, int marked, int drawn, int x) => x > marked || drawn - x > n - marked || x < 0
            ? 0
            : Math.Exp(Choose(marked, x) + Choose(n - marked, drawn - x) - Choose(n, drawn));

        private double Choose(int n, int k) => _values[n] - _values[k] - _values[n - k];
    }
}
