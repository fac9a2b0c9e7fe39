namespace Federated.Server.Grains;

/// <summary>What went wrong last with something that is tried again and again, so that it is said once and not at every try.</summary>
internal sealed class LastFailure
{
    private string? _text;

    /// <summary>Notes a failure.</summary>
    /// <returns>Whether it is another one than the last, or the first since things went well.</returns>
    public bool IsNews(Exception failure)
    {
        string text = $"{failure.GetType()}: {failure.Message}";
        bool news = text != _text;
        _text = text;
        return news;
    }

    /// <summary>Things went well.</summary>
    public void Over() => _text = null;
}
