// Runs before the page is drawn, so that it does not flash in the other colours.
(() => {
    const key = 'federated-theme';
    const apply = theme => {
        if (theme === 'light' || theme === 'dark') {
            document.documentElement.dataset.theme = theme;
        } else {
            delete document.documentElement.dataset.theme;
        }
    };
    const get = () => {
        try {
            return localStorage.getItem(key) ?? '';
        } catch {
            return '';
        }
    };
    apply(get());
    window.federatedTheme = {
        get,
        set: theme => {
            try {
                localStorage.setItem(key, theme);
            } catch {
                // A browser that keeps nothing still changes its colours.
            }

            apply(theme);
            document.dispatchEvent(new CustomEvent('federated-theme'));
        },
    };
})();
