// Draws what a page describes with uPlot. Colours come from the style sheet, so that charts follow the theme.
import uPlot from './uplot/uplot.js';

const charts = new WeakMap();
const hosts = new Set();
const units = ['B', 'kB', 'MB', 'GB', 'TB'];

const significant = v => Math.abs(v) >= 99.95 ? v.toFixed(0) : Math.abs(v) >= 9.995 ? v.toFixed(1) : v.toFixed(2);
const short = v => String(+v.toPrecision(4));
const writers = {
    percent: (v, axis) => axis ? `${short(100 * v)} %` : `${(100 * v).toFixed(1)} %`,
    seconds: (v, axis) => v === 0 ? '0 s' : Math.abs(v) < 1 ? `${axis ? short(v * 1000) : significant(v * 1000)} ms` : Math.abs(v) < 7200 ? `${axis ? short(v) : significant(v)} s` : `${significant(v / 3600)} h`,
    bytes: (v, axis) => {
        let step = 0;
        while (Math.abs(v) >= 999.5 && step < units.length - 1) {
            v /= 1000;
            step++;
        }

        return `${axis ? short(v) : step === 0 ? v.toFixed(0) : significant(v)} ${units[step]}`;
    },
    number: (v, axis) => axis ? short(v) : v.toFixed(4),
    count: v => String(Math.round(v)),
};

function colour(host, name) {
    const probe = document.createElement('span');
    probe.style.color = `var(--${name})`;
    host.append(probe);
    const value = getComputedStyle(probe).color;
    probe.remove();
    return value;
}

function build(host, spec) {
    const write = writers[spec.unit] ?? writers.number;
    const text = colour(host, 'muted');
    const grid = colour(host, 'border');
    const font = '12px system-ui, sans-serif';
    const bars = uPlot.paths.bars({ size: [0.7, 40] });
    const rows = spec.series.map(s => s.values.slice());
    const shown = spec.series.map(s => s.values);

    // Stacked bars are drawn as sums, the tallest first; the legend tells the parts.
    if (spec.stacked) {
        for (let s = rows.length - 2; s >= 0; s--) {
            rows[s] = rows[s].map((v, i) => (v ?? 0) + (rows[s + 1][i] ?? 0));
        }
    }

    const series = [{ label: spec.xLabel, value: (_, v) => v == null ? '–' : String(v) }];
    spec.series.forEach((s, i) => {
        const stroke = colour(host, s.colour);
        series.push({
            label: s.label,
            stroke,
            width: spec.stacked ? 0 : 2,
            fill: spec.stacked ? stroke : undefined,
            dash: s.dashed ? [6, 4] : undefined,
            paths: spec.stacked ? bars : undefined,
            points: { show: !spec.stacked && !s.dashed && spec.x.length < 60, size: 5 },
            spanGaps: true,
            value: (_, v, seriesIndex, at) => at == null || shown[i][at] == null ? '–' : write(shown[i][at], false),
        });
    });

    const options = {
        width: Math.max(host.clientWidth, 200),
        height: spec.height,
        series,
        cursor: { y: false, points: { size: 7 } },
        legend: { live: true },
        scales: {
            x: { time: false, range: (_, min, max) => min == null ? [0, 1] : spec.stacked ? [min - 0.6, max + 0.6] : min === max ? [min - 1, max + 1] : [min, max] },
            y: { range: (_, min, max) => range(spec, min, max), distr: spec.logarithmic ? 3 : 1 },
        },
        axes: [
            { stroke: text, font, grid: { show: false }, ticks: { show: false }, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 100000], label: spec.xLabel, labelFont: font, labelSize: 18, size: 28 },
            { stroke: text, font, grid: { stroke: grid, width: 1 }, ticks: { show: false }, size: 62, values: (_, ticks) => ticks.map(v => v == null ? '' : write(v, true)) },
        ],
    };
    return new uPlot(options, [spec.x, ...rows], host);
}

function range(spec, min, max) {
    if (min == null) {
        return spec.logarithmic ? [1, 10] : [0, 1];
    }

    if (spec.logarithmic) {
        return [10 ** Math.floor(Math.log10(Math.max(min, 1))), 10 ** Math.ceil(Math.log10(Math.max(max, 10)) + 0.02)];
    }

    if (spec.fromZero) {
        return [0, max > 0 ? max * 1.08 : 1];
    }

    const pad = max > min ? (max - min) * 0.08 : Math.abs(max) * 0.1 || 1;
    return [spec.unit === 'percent' ? Math.max(0, min - pad) : min - pad, spec.unit === 'percent' ? Math.min(1, max + pad) : max + pad];
}

function redraw(host) {
    const held = charts.get(host);
    if (held) {
        held.plot?.destroy();
        held.plot = build(host, held.spec);
    }
}

/** Draws the chart, or what is new of it. */
export function draw(host, spec) {
    if (!host) {
        return;
    }

    let held = charts.get(host);
    if (!held) {
        held = { observer: new ResizeObserver(() => held.plot?.setSize({ width: Math.max(host.clientWidth, 200), height: held.spec.height })) };
        charts.set(host, held);
        hosts.add(host);
        held.observer.observe(host);
    }

    held.spec = spec;
    redraw(host);
}

/** Lets go of the chart. */
export function drop(host) {
    const held = charts.get(host);
    if (held) {
        held.observer.disconnect();
        held.plot?.destroy();
        charts.delete(host);
        hosts.delete(host);
    }
}

const all = () => hosts.forEach(redraw);
document.addEventListener('federated-theme', all);
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', all);
