// A modal dialog keeps the focus and closes with Escape by itself.
export function open(dialog) {
    if (dialog && !dialog.open) {
        dialog.showModal();
    }
}
