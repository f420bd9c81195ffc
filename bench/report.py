# SPDX-License-Identifier: Apache-2.0
"""The numbers of a run as one page that needs nothing else: tables, and plots
as SVG. It reads well printed: dark on white, lines told apart by dashes too."""
import html
import math

COLORS = ["#0a5", "#c33", "#e99", "#36c", "#69f", "#850", "#a4a", "#666",
          "#099", "#c80", "#305", "#390", "#c6a", "#47a", "#999", "#740"]
DASHES = ["", "", "2 3", "6 3", "6 3 2 3", "1 2", "8 4", "3 3", "4 2", "9 2",
          "1 4", "12 3", "5 1", "2 1", "7 2 1 2", "3 1"]
LEGEND = 3  # systems in a row of the legend
MIB = 1 << 20

STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; max-width: 60em; margin: 2em auto;
  padding: 0 1em; color: #111; background: #fff }
h1 { font-size: 1.6em } h2 { font-size: 1.15em; margin: 2em 0 .4em }
table { border-collapse: collapse; font-size: 13px; width: 100% }
th, td { text-align: right; padding: .2em .5em; border-bottom: 1px solid #ddd }
th:first-child, td:first-child { text-align: left }
.pass { color: #075 } .short { color: #b00; font-weight: bold }
.plot { break-inside: avoid; margin: 1em 0 } svg { max-width: 100% }
.adit td { font-weight: bold } p.void { color: #b00 }
@media print { body { margin: 0; font-size: 11px } h2 { break-after: avoid } }
"""


def look(names):
    """A colour and a dash for each system; adit's is always the first."""
    order = sorted(names, key=lambda n: (n != "adit", n != "HAProxy",
                                          n == "direct"))
    return {n: (COLORS[i % len(COLORS)], DASHES[i % len(DASHES)])
            for i, n in enumerate(order)}


def ticks_of(low, high, log):
    if log:
        return [10 ** e for e in range(math.floor(math.log10(low)),
                                       math.ceil(math.log10(high)) + 1)]
    step = 10 ** math.floor(math.log10(high))
    step = step / 2 if high / step < 3 else step
    return [step * i for i in range(int(high / step) + 2)]


def number(v):
    return f"{v / 1000:g}k" if v >= 1000 else f"{v:g}"


def lines(title, unit, series, labels, log=False):
    """A plot of lines; series: name -> values (None: a gap), one a label."""
    values = [v for row in series.values() for v in row if v]
    if not values:
        return ""
    ticks = ticks_of(min(values), max(values), log)
    low, high = ticks[0], ticks[-1]
    width, height, left, top = 760, 300, 60, 20

    def x(i):
        return left + i * (width - left - 20) / max(1, len(labels) - 1)

    def y(v):
        part = (math.log(v / low) / math.log(high / low) if log
                else v / high)
        return top + (1 - part) * (height - top - 30)

    out = [f'<div class="plot"><h2>{html.escape(title)}</h2>'
           f'<svg viewBox="0 0 {width} '
           f'{height + 20 * math.ceil(len(series) / LEGEND)}" '
           f'role="img" aria-label="{html.escape(title)}" '
           'font-family="system-ui, sans-serif" font-size="12">']
    for t in ticks:
        out.append(f'<line x1="{left}" x2="{width - 20}" y1="{y(t):.1f}" '
                   f'y2="{y(t):.1f}" stroke="#ddd"/><text x="{left - 6}" '
                   f'y="{y(t) + 4:.1f}" text-anchor="end">{number(t)}</text>')
    for i, label in enumerate(labels):
        anchor = ("start" if i == 0 else "end" if i == len(labels) - 1
                  else "middle")
        out.append(f'<text x="{x(i):.1f}" y="{height - 8}" '
                   f'text-anchor="{anchor}">{html.escape(label)}</text>')
    out.append(f'<text x="{left}" y="12">{html.escape(unit)}</text>')
    style = look(series)
    for n, (name, row) in enumerate(series.items()):
        color, dash = style[name]
        points = [(x(i), y(v)) for i, v in enumerate(row) if v]
        out.append('<polyline fill="none" stroke="{}" stroke-width="{}" '
                   'stroke-dasharray="{}" points="{}"/>'.format(
                       color, 3 if name == "adit" else 1.5, dash,
                       " ".join(f"{a:.1f},{b:.1f}" for a, b in points)))
        for a, b in points:
            out.append(f'<circle cx="{a:.1f}" cy="{b:.1f}" r="2.5" '
                       f'fill="{color}"/>')
        base = height + 14 + 20 * (n // LEGEND)
        at = left + n % LEGEND * (width - left) // LEGEND
        out.append(f'<line x1="{at}" x2="{at + 30}" y1="{base - 4}" '
                   f'y2="{base - 4}" stroke="{color}" stroke-width="2" '
                   f'stroke-dasharray="{dash}"/><text x="{at + 38}" '
                   f'y="{base}">{html.escape(name)}</text>')
    out.append("</svg></div>")
    return "\n".join(out)


def series_of(result, cases, key, scale=1.0, skip=()):
    names = []
    for case in cases:
        names += [n for n in result[case] if n not in names]
    return {n: [result[c].get(n, {}).get(key, 0) * scale or None
                for c in cases] for n in names if n not in skip}


def table(systems):
    out = ["<table><tr><th></th><th>req/s</th><th>±%</th><th>MiB/s</th>"
           "<th>p50 µs</th><th>p99 µs</th><th>CPU µs/req</th>"
           "<th>outer + inner</th><th>CPU s/GB</th><th>memory MiB</th><th>rate</th><th>CPU</th>"
           "<th>p99</th></tr>"]

    def ratio(v):
        return "–" if v is None else f"{v:.2f}"

    for name, r in systems.items():
        cells = [f"{r['rate']:.1f}", f"{r['spread']:.0f}",
                 f"{r['bytes'] / MIB:.0f}", f"{r['p50']:.0f}",
                 f"{r['p99']:.0f}", f"{r['cpu']:.1f}",
                 f"{r['cpu_outer']:.1f} + {r['cpu'] - r['cpu_outer']:.1f}",
                 f"{r['cpu_gb']:.3f}",
                 f"{r['memory'] / MIB:.1f}", ratio(r["rate ratio"]),
                 ratio(r["cpu ratio"]), ratio(r["p99 ratio"])]
        row = "".join(f"<td>{c}</td>" for c in cells)
        out.append(f'<tr class="{"adit" if name == "adit" else ""}">'
                   f"<td>{html.escape(name)}</td>{row}</tr>")
    return "".join(out) + "</table>"


def targets(rows):
    out = ["<table><tr><th>case</th><th>what</th><th>to</th><th>ratio</th>"
           "<th>target</th><th></th></tr>"]
    for case, key, whom, relation, factor, value, verdict in rows:
        if value is None:
            continue
        sign = "≤" if relation == "<=" else "≥"
        out.append(f"<tr><td>{html.escape(case)}</td><td>{key}</td>"
                   f"<td>{html.escape(whom)}</td><td>{value:.2f}</td>"
                   f"<td>{sign} {factor:.2f}</td>"
                   f'<td class="{verdict}">{verdict}</td></tr>')
    return "".join(out) + "</table>"


def plots(idle, result):
    sizes = [c for c in result if "B, " in c and "512" not in c]
    closed = [c for c in result if not c.startswith(("open", "1,000"))]
    opened = [c for c in result if c.startswith("open")]
    out = [lines("Throughput by size", "MiB/s", series_of(
        result, sizes, "bytes", 1 / MIB), [s.split(",")[0] for s in sizes],
        log=True)]
    out.append(lines("CPU per request", "µs, both relays", series_of(
        result, closed, "cpu", skip=("direct",)),
        [c.replace(" connections", "").replace("connection: ", "")
         for c in closed], log=True))
    marks = ["p50", "p90", "p99", "p99.9", "p99.99", "max"]
    for case in opened:
        out.append(lines(f"Latency, {case}", "µs", {
            n: [r.get(m) for m in marks] for n, r in result[case].items()},
            marks, log=True))
    steps = [("idle", None), ("1,000 idle", "1,000 idle connections"),
             ("32 busy", "32 B, 32 connections"),
             ("512 busy", "32 B, 512 connections")]
    steps = [s for s in steps if s[1] is None or s[1] in result]
    memory = {n: [(idle[n] if case is None else
                   result[case].get(n, {}).get("memory", 0)) / MIB or None
                  for _, case in steps] for n in idle}
    out.append(lines("Memory over connections", "MiB, both relays", memory,
                     [s[0] for s in steps], log=True))
    return "\n".join(out)


def write(path, head, idle, result, rows, void, parts):
    names = "; ".join(f"{k}: {v}" for k, v in head["versions"].items())
    with open(path, "w") as f:
        f.write(
            '<!doctype html><html lang="en"><head><meta charset="utf-8">'
            "<title>adit beside its peers</title>"
            f"<style>{STYLE}</style></head><body><h1>adit beside its peers"
            f"</h1><p>{head['date']}, Linux {html.escape(head['kernel'])}, "
            f"{head['cpus']} CPUs, {head['rounds']} rounds of "
            f"{head['seconds']} s, {head['workers']} worker(s) each. Two "
            "relays in chain on loopback, generator and origin on the same "
            "CPUs; medians over the rounds, ratios to HAProxy's slice of the "
            f"same round.</p><p>{html.escape(names)}</p>")
        if void:
            f.write('<p class="void">VOID: the machine was too busy for this '
                    "run.</p>")
        f.write("<h2>Targets</h2>" + targets(rows) + plots(idle, result))
        for case, systems in result.items():
            f.write(f"<h2>{html.escape(case)}</h2>" + table(systems))
        f.write("<h2>Single parts</h2><table><tr><th></th><th>ns</th></tr>")
        for name, ns in parts:
            f.write(f"<tr><td>{html.escape(name)}</td><td>{ns:.1f}</td></tr>")
        f.write("</table></body></html>\n")
