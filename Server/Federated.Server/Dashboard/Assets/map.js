// The squares of a block are one stop of the Tab key; arrows walk over them, Home and End go to its first and last.
document.addEventListener('keydown', event => {
    const mark = event.target;
    if (!(mark instanceof HTMLAnchorElement) || event.ctrlKey || event.altKey || event.metaKey) return;
    const marks = mark.parentElement && 'marks' in mark.parentElement.dataset ? [...mark.parentElement.children] : [];
    const at = marks.indexOf(mark);
    if (at < 0) return;
    const columns = Math.max(1, marks.findIndex(other => other.offsetTop > marks[0].offsetTop));
    const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns, Home: -at, End: marks.length - 1 - at };
    if (!(event.key in steps)) return;
    event.preventDefault();
    const next = marks[at + steps[event.key]];
    if (next) next.focus();
});
