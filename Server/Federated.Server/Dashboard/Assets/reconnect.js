// Shows that the socket is lost, and loads the page again when the server is back but no longer knows it.
const dialog = document.getElementById('components-reconnect-modal');
let waiting;

dialog.addEventListener('components-reconnect-state-changed', change => {
    switch (change.detail.state) {
        case 'show':
            dialog.showModal();
            break;
        case 'hide':
            clearTimeout(waiting);
            dialog.close();
            break;
        case 'failed':
            dialog.classList.add('gone');
            waiting = setTimeout(again, 3000);
            break;
        case 'rejected':
            location.reload();
            break;
    }
});

async function again() {
    try {
        if ((await fetch('/healthz', { cache: 'no-store' })).ok) {
            location.reload();
            return;
        }
    } catch {
        // Still away.
    }

    waiting = setTimeout(again, 3000);
}
