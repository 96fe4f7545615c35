"""The plots, as SVG. One colour a peer through all of them."""
import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt  # noqa: E402
from matplotlib.ticker import FuncFormatter, NullFormatter  # noqa: E402

from peers import COLOURS, is_ours, place  # noqa: E402
from workloads import CELLS, LENGTHS, PRODUCERS, SHAPES, WORKERS  # noqa: E402

plt.rcParams.update({
    "svg.hashsalt": "fastjobs",  # the same figures, the same file
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "figure.facecolor": "white",
})


class Cells:
    """Finds figures: cells(side, cell)[peer][metric]."""

    def __init__(self, document):
        self.found = {}
        for cell in document["cells"]:
            self.found[cell["side"], cell["cell"]] = {
                row["peer"]: {**row["others"], **{k: v["median"] for k, v in row["metrics"].items()}}
                for row in cell["rows"] if row["metrics"]}

    def peers(self, *keys):
        names = dict.fromkeys(p for key in keys for p in self.found.get(key, {}))
        return sorted(names, key=place)

    def get(self, side, cell, peer, metric):
        return self.found.get((side, cell), {}).get(peer, {}).get(metric)


def style(peer):
    return {"color": COLOURS.get(peer, "#333333"), "linewidth": 2.4 if is_ours(peer) else 1.3, "marker": "o",
            "markersize": 5 if is_ours(peer) else 3.5, "zorder": 3 if is_ours(peer) else 2, "label": peer}


def plain(axis):
    axis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}" if v < 10000 else f"{v:,.0f}"))
    axis.set_minor_formatter(NullFormatter())


def lines(cells, points, metric, title, x_label, y_label, by=1.0, log_x=True, log_y=True, invert=None, categories=None):
    """A line a peer through points (x, side, cell). None if fewer than two points were measured."""
    keys = [(side, cell) for _, side, cell in points]
    figure, axes = plt.subplots(figsize=(7.2, 4.2))
    most = 0
    for peer in cells.peers(*keys):
        found = [(x, cells.get(side, cell, peer, metric)) for x, side, cell in points]
        found = [(x, (invert / y if invert else y / by)) for x, y in found if y]
        if found:
            axes.plot(*zip(*found), **style(peer))
            most = max(most, len(found))
    if most < 2:
        plt.close(figure)
        return None
    if log_x:
        axes.set_xscale("log", base=10 if categories is None else 2)
    if log_y:
        axes.set_yscale("log")
        plain(axes.yaxis)
    xs = [x for x, *_ in points]
    axes.set_xticks(xs)
    plain(axes.xaxis)
    finish(axes, title, x_label, y_label)
    return figure


def finish(axes, title, x_label, y_label):
    axes.set_title(title, loc="left", fontsize=10)
    axes.set_xlabel(x_label)
    axes.set_ylabel(y_label)
    axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False, fontsize=8)


def producers(cells):
    points = [(n, "native", f"W{n}" if n < 3 else f"producers-{n}") for n in PRODUCERS]
    return lines(cells, points, "ns_per_job", "Throughput by producers: empty jobs, 2 workers", "producers (threads)",
                 "million jobs a second", invert=1000.0, categories=True)


def workers(cells):
    points = [(n, "native", "W1" if n == 2 else f"workers-{n}") for n in WORKERS]
    return lines(cells, points, "ns_per_job", "Scaling by workers: empty jobs, 1 producer", "workers (threads)",
                 "million jobs a second", invert=1000.0, categories=True)


def lengths(cells):
    points = [(us, "native", "W6" if us == 1 else f"length-{us:g}") for us in LENGTHS]
    return lines(cells, points, "efficiency", "Efficiency by job length: 1 producer, 2 workers", "length of a job (µs)",
                 "share of the workers' time in jobs", log_y=False)


def of_depth(cells):
    """What a submit costs when so many jobs wait already."""
    marks = ((1e3, "ns_at_1k"), (1e4, "ns_at_10k"), (1e5, "ns_at_100k"), (1e6, "ns_at_1M"), (1e7, "ns_at_10M"))
    figure, axes = plt.subplots(figsize=(7.2, 4.2))
    drawn = False
    for peer in cells.peers(("native", "W5"), ("native", "backlog-10M")):
        found = [(x, cells.get("native", "W5", peer, key) or cells.get("native", "backlog-10M", peer, key))
                 for x, key in marks]
        found = [(x, y) for x, y in found if y]
        if len(found) > 1:
            axes.plot(*zip(*found), **style(peer))
            drawn = True
    if not drawn:
        plt.close(figure)
        return None
    axes.set_xscale("log")
    axes.set_yscale("log")
    plain(axes.yaxis)
    axes.set_xticks([x for x, _ in marks], ["1,000", "10,000", "100,000", "1 million", "10 million"])
    axes.xaxis.set_minor_formatter(NullFormatter())
    finish(axes, "Cost by depth: a submit behind jobs that wait", "jobs that wait", "ns a submit")
    return figure


PERCENTILES = (("1", "p1_ns"), ("10", "p10_ns"), ("25", "p25_ns"), ("50", "p50_ns"), ("75", "p75_ns"), ("90", "p90_ns"),
               ("99", "p99_ns"), ("99.9", "p999_ns"), ("100", "max_ns"))


def latency(side, cell, title):
    def draw(cells):
        figure, axes = plt.subplots(figsize=(7.2, 4.2))
        peers = cells.peers((side, cell))
        for peer in peers:
            axes.plot(range(len(PERCENTILES)),
                      [(cells.get(side, cell, peer, key) or float("nan")) / 1000 for _, key in PERCENTILES], **style(peer))
        if not peers:
            plt.close(figure)
            return None
        axes.set_yscale("log")
        plain(axes.yaxis)
        axes.set_xticks(range(len(PERCENTILES)), [name for name, _ in PERCENTILES])
        finish(axes, title, "percentile", "µs")
        return figure

    return draw


def growth(cells):
    """Instructions a job, each curve by what it was at the smallest size."""
    figure, axes = plt.subplots(figsize=(7.2, 4.2))
    drawn = False
    for (name, what), marker in zip((("depth", "jobs in the lane"), ("lanes", "lanes"), ("queues", "idle named queues")), "os^"):
        found = cells.found.get(("growth", name), {}).get("fastjobs", {})
        points = sorted((int(k[3:]), v) for k, v in found.items() if k.startswith("at_"))
        if points:
            axes.plot([x for x, _ in points], [y / points[0][1] for _, y in points], color=COLOURS["fastjobs"],
                      marker=marker, linestyle={"o": "-", "s": "--", "^": ":"}[marker],
                      label=f"{what} ({points[0][1]:,.0f} instructions at {points[0][0]:,})")
            drawn = True
    if not drawn:
        plt.close(figure)
        return None
    axes.set_xscale("log")
    plain(axes.xaxis)
    axes.set_ylim(0, max(1.5, axes.get_ylim()[1]))
    axes.set_title("Cost of growth: instructions a job (callgrind)", loc="left", fontsize=10)
    axes.set_xlabel("number of them")
    axes.set_ylabel("by the cost at the smallest number")
    axes.legend(loc="lower right", frameon=False, fontsize=8)
    return figure


def channels(cells):
    """A group of bars a shape, a panel a kind of channel."""
    kinds = (("", "unbounded, threads"), ("bounded-", "bounded to 1,024, threads"), ("async-", "unbounded, async methods"),
             ("bounded-async-", "bounded, async methods"))
    peers = cells.peers(*(("managed", f"channel-{kind}{w}x{r}") for kind, _ in kinds for w, r in SHAPES))
    if not peers:
        return None
    figure, panels = plt.subplots(1, len(kinds), figsize=(13, 3.4), sharey=True)
    width = 0.8 / len(peers)
    for axes, (kind, title) in zip(panels, kinds):
        for i, peer in enumerate(peers):
            heights = [cells.get("managed", f"channel-{kind}{w}x{r}", peer, "ns_per_job") or 0 for w, r in SHAPES]
            axes.bar([x + (i - (len(peers) - 1) / 2) * width for x in range(len(SHAPES))], heights, width,
                     color=COLOURS[peer], label=peer)
        axes.set_xticks(range(len(SHAPES)), [f"{w} to {r}" for w, r in SHAPES])
        axes.set_title(title, loc="left", fontsize=10)
        axes.set_xlabel("writers to readers")
        axes.grid(axis="x", visible=False)
    panels[0].set_ylabel("ns an item (less is better)")
    panels[-1].legend(loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False, fontsize=8)
    return figure


def ratios(document, side):
    """A bar a workload: ours by the best rival's, the efficiencies upside down, so that left of 1 is always better."""
    bars = []
    for cell in document["cells"]:
        definition = next(c for c in CELLS if (c.side, c.name) == (cell["side"], cell["cell"]))
        for ratio in cell["ratios"]:
            if ratio["peer"] == "fastjobs" and cell["side"] == side and ratio["rival"]:
                metric = next(m for m in definition.metrics if m.key == ratio["metric"])
                value = 1 / ratio["ratio"] if ratio["more_is_better"] else ratio["ratio"]
                bars.append((f"{cell['cell']} {metric.title}", value, ratio["rival"]))
    if not bars:
        return None
    figure, axes = plt.subplots(figsize=(7.2, 0.6 + 0.21 * len(bars)))
    names = [name for name, *_ in bars]
    axes.barh(names, [value - 1 for _, value, _ in bars], left=1, height=0.65,
              color=[COLOURS["fastjobs"] if value <= 1 else "#9e9e9e" for _, value, _ in bars])
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set_xscale("log")
    plain(axes.xaxis)
    axes.invert_yaxis()
    axes.margins(y=0.01)
    axes.tick_params(axis="y", labelsize=7)
    for i, (_, value, rival) in enumerate(bars):
        axes.annotate(f" {value:.2f} of {rival} ", (max(value, 1), i), va="center", fontsize=6.5, color="#444444")
    axes.grid(axis="y", visible=False)
    left, right = axes.get_xlim()
    axes.set_xlim(left, right * 3)
    axes.set_title(f"FastJobs by the best rival, {side}: left of 1 FastJobs is better", loc="left", fontsize=10)
    axes.set_xlabel("ratio of medians (efficiency: inverted)")
    return figure


def draw_all(document, folder):
    """Writes the plots that there are figures for; returns (file, caption) of each."""
    cells = Cells(document)
    wanted = (
        ("ratios-native.svg", "Ratios to the best native rival", lambda c: ratios(document, "native")),
        ("producers.svg", "Throughput by producers", producers),
        ("latency.svg", "Round trip, distribution", latency("native", "W4", "Round trip: submit, block until it has run")),
        ("depth.svg", "Cost by depth", of_depth),
        ("length.svg", "Efficiency by job length", lengths),
        ("workers.svg", "Scaling by workers", workers),
        ("echo.svg", "Echo through the event loop, distribution",
         latency("native", "echo", "Echo through the event loop, 1 connection, 64 bytes")),
        ("growth.svg", "Cost of growth", growth),
        ("ratios-managed.svg", "Ratios to the best managed rival", lambda c: ratios(document, "managed")),
        ("channels.svg", "Channels: ours beside the BCL's", channels),
    )
    drawn = []
    for file, caption, draw in wanted:
        figure = draw(cells)
        (folder / file).unlink(missing_ok=True)
        if figure is not None:
            figure.savefig(folder / file, bbox_inches="tight", metadata={"Date": None})
            plt.close(figure)
            drawn.append((file, caption))
    return drawn
