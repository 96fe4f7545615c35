"""The report as Markdown: goals, ratios, then every table with all peers, lost rows like won ones."""
from goals import judge
from peers import is_ours

NATIVE_NOTE = """Each cell is a process of its own; the peers take turns, and their order changes with each repetition. A figure is
the median of the repetitions with least and most. **Bold** is the best rival. "n/a" says why a peer cannot do the workload;
a row that failed says so. `*`: the harness cut the submits short after 2 s."""


def number(value):
    if value == 0:
        return "0"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    if abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.3g}" if abs(value) >= 0.01 else f"{value:.4f}"


def table(heads, rows):
    yield "| " + " | ".join(heads) + " |"
    yield "| " + " | ".join("---" for _ in heads) + " |"
    for row in rows:
        yield "| " + " | ".join(row) + " |"
    yield ""


def figure(metric, row, best):
    found = row["metrics"].get(metric.key)
    if found is None:
        return row["status"] if row["status"] != "ok" else "-"
    text = number(found["median"] / metric.by)
    if row["peer"] == best:
        text = f"**{text}**"
    if row["repetitions"] > 1:
        text += f" ({number(found['min'] / metric.by)}..{number(found['max'] / metric.by)})"
    return text + ("*" if "truncated" in row["others"] else "") + (" !" if row["status"] != "ok" else "")


def ratio_text(cell, row, metric):
    for ratio in cell["ratios"]:
        if (ratio["peer"], ratio["metric"]) == (row["peer"], metric.key) and ratio["rival"]:
            won = ratio["ratio"] >= 1 if metric.more_is_better else ratio["ratio"] <= 1
            return f"{ratio['ratio']:.2f}" + ("" if won else " lost")
    return ""


def best_of(cell, metric):
    return next((r["rival"] for r in cell["ratios"] if r["metric"] == metric.key), None)


def cell_table(definition, cell):
    if cell["side"] == "growth":
        yield from growth_table(definition, cell)
        return
    heads = ["peer"]
    for metric in definition.metrics:
        more = ", more is better" if metric.more_is_better else ""
        heads += [f"{metric.title}, {metric.unit}{more}" if metric.unit else metric.title]
    heads += [f"{m.title} / best rival" for m in definition.metrics if not m.own]
    rows = []
    for row in cell["rows"]:
        if not row["metrics"]:
            rows.append([row["peer"], row["status"]] + [""] * (len(heads) - 2))
            continue
        rows.append([row["peer"]] + [figure(m, row, best_of(cell, m)) for m in definition.metrics]
                    + [ratio_text(cell, row, m) for m in definition.metrics if not m.own])
    yield f"### {cell['cell']}: {cell['title']}\n"
    yield from table(heads, rows)


def growth_table(definition, cell):
    row = cell["rows"][0]
    yield f"### {cell['cell']}: {cell['title']}\n"
    if not row["metrics"]:
        yield row["status"] + "\n"
        return
    found = [(m, row["metrics"][m.key]["median"]) for m in definition.metrics if m.key in row["metrics"]]
    yield from table(["size or figure", "value"],
                     [[m.title + (f", {m.unit}" if m.unit else ""), number(v / m.by)] for m, v in found])


def goals_table(summary):
    rows = []
    for goal, value, rival, met in judge(summary):
        wanted = f"at {'least' if goal.at_least else 'most'} {goal.limit:.3g}"
        if value is None:
            rows.append([goal.text, goal.peer, "not measured", wanted, "", ""])
        else:
            rows.append([goal.text, goal.peer, f"{value:.3g}", wanted, "yes" if met else "**no**", rival or ""])
    yield from table(["goal", "way", "ours / best rival, or our figure", "wanted", "met", "best rival"], rows)


def goals_in_words(summary):
    """Those that were measured: the texts of the met ones, and of the others with their figures."""
    met, missed = [], []
    for goal, value, _, good in judge(summary):
        if value is not None:
            (met if good else missed).append(goal.text if good else f"{goal.text} {value:.2f} (wanted {goal.limit:.3g})")
    return met, missed


def ratios_table(cells, summary):
    """The short table: a line a workload, the first metric of each, FastJobs as it is and its best way."""
    rows = []
    for cell in summary:
        metric = cells[cell["side"], cell["cell"]].metrics[0]
        mine = [r for r in cell["ratios"] if r["metric"] == metric.key]
        if not mine:
            continue
        best = (max if metric.more_is_better else min)(mine, key=lambda r: r["ratio"])
        unit = f"{metric.title}, {metric.unit}" if metric.unit else metric.title
        first = next((r for r in mine if r["peer"] == "fastjobs"), mine[0])
        line = [f"{cell['title']}", unit, number(first["ours"] / metric.by), number(first["best"] / metric.by),
                first["rival"], f"{first['ratio']:.2f}"]
        line.append(f"{best['ratio']:.2f} ({best['peer']})" if best is not first else "")
        rows.append(line)
    yield from table(["workload", "figure", "FastJobs", "best rival", "which", "ratio", "another way of ours"], rows)


def machine(environment):
    yield from table(["", ""], [[k.replace("_", " "), str(v)] for k, v in environment.items()])


def versions(peers):
    yield from table(["peer", "side", "version"], [[p["name"], p["side"], p["version"]] for p in peers])


def write_report(cells, document, plots):
    """The whole report as a string. `document`: what summary.json holds; plots: (file, caption)."""
    by_name = {(c.side, c.name): c for c in cells}
    summary = document["cells"]
    lines = ["# The arena", "", NATIVE_NOTE, "", "## Goals", "", *goals_table(summary)]
    for side in ("native", "managed"):
        mine = [c for c in summary if c["side"] == side]
        if mine:
            lines += [f"## Ratios, {side}", "", "Ours divided by the best rival's: below 1 is better, above 1 for an efficiency.",
                      "", *ratios_table(by_name, mine)]
    lines += ["## Plots", ""] + [f"![{caption}]({file})\n" for file, caption in plots]
    lines += ["## Machine", "", *machine(document["environment"]), "## Versions", "", *versions(document["peers"])]
    if document.get("missing"):
        lines += ["Not built, because a package is missing: " + ", ".join(document["missing"]) + ".", ""]
    lines += ["## All figures", ""]
    for cell in summary:
        lines += cell_table(by_name[cell["side"], cell["cell"]], cell)
    return "\n".join(lines)


def lost(summary):
    """Every ratio in which one of our ways is behind, for the end of a run."""
    for cell in summary:
        for ratio in cell["ratios"]:
            if ratio["rival"] is None:
                continue
            behind = ratio["ratio"] < 1 if ratio["more_is_better"] else ratio["ratio"] > 1
            if is_ours(ratio["peer"]) and behind:
                yield f"{cell['side']} {cell['cell']} {ratio['metric']}, {ratio['peer']}: {ratio['ratio']:.2f} of {ratio['rival']}"
