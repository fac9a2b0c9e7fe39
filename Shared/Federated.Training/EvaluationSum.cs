namespace Federated.Training;

/// <summary>What an evaluation of some examples gave. Sums, so that parts can be added.</summary>
/// <param name="Examples">How many examples were looked at.</param>
/// <param name="Counted">What the loss is the mean over: examples, tokens, positions or numbers, as the task has it.</param>
/// <param name="LossSum">Sum of the losses of all that is counted.</param>
/// <param name="Score">Right answers, absolute errors or cosine similarities, summed over all that is counted.</param>
public readonly record struct EvaluationSum(long Examples, long Counted, double LossSum, double Score)
{
    /// <summary>Mean loss; NaN when nothing was counted.</summary>
    public double MeanLoss => LossSum / Counted;

    /// <summary>Mean score: the share of right answers, the mean absolute error or the mean cosine similarity; NaN when nothing was counted.</summary>
    public double Quality => Score / Counted;

    /// <summary>Adds two parts.</summary>
    public static EvaluationSum operator +(EvaluationSum a, EvaluationSum b) =>
        new(a.Examples + b.Examples, a.Counted + b.Counted, a.LossSum + b.LossSum, a.Score + b.Score);

    /// <summary>Adds two parts.</summary>
    public static EvaluationSum Add(EvaluationSum a, EvaluationSum b) => a + b;

    /// <summary>The sum of a batch whose means an engine gave. A batch that counts nothing adds nothing.</summary>
    public static EvaluationSum OfBatch(int examples, long counted, float meanLoss, float score) =>
        counted == 0 ? new EvaluationSum(examples, 0, 0, 0) : new EvaluationSum(examples, counted, (double)meanLoss * counted, score);
}
