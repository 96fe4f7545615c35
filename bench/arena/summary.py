"""From the raw rows to medians, and to the ratio of each of our ways to the best rival."""
import statistics

from peers import is_ours, place


def spread(values):
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def summarize_peer(peer, rows, metrics):
    """One peer in one cell. Failed repetitions are told of and do not count."""
    good = [r["metrics"] for r in rows if r["status"] == "ok"]
    bad = [r["status"] for r in rows if r["status"] != "ok"]
    found = {}
    for metric in metrics:
        values = [m[metric.key] for m in good if metric.key in m]
        if values:
            found[metric.key] = spread(values)
    others = {}  # for the plots
    for key in {k for m in good for k in m} - set(found):
        others[key] = statistics.median(m[key] for m in good if key in m)
    return {"peer": peer, "status": bad[0] if bad else "ok", "repetitions": len(good), "metrics": found,
            "others": dict(sorted(others.items()))}


def best_rival(rows, metric):
    """(median, name) of the best rival, or None."""
    medians = [(r["metrics"][metric.key]["median"], r["peer"]) for r in rows
               if not is_ours(r["peer"]) and metric.key in r["metrics"]]
    if not medians:
        return None
    return max(medians) if metric.more_is_better else min(medians)


def ratios(rows, metrics):
    """Of each of our ways, metric by metric: our median divided by the best rival's. A figure that is a ratio by
    itself has no rival."""
    for metric in metrics:
        best = (1.0, None) if metric.own else best_rival(rows, metric)
        for row in rows:
            mine = row["metrics"].get(metric.key)
            if is_ours(row["peer"]) and mine and best and best[0] > 0:
                value = max(mine["median"], metric.least) if metric.own else mine["median"]
                yield {"peer": row["peer"], "metric": metric.key, "ratio": value / best[0],
                       "more_is_better": metric.more_is_better, "tolerance": metric.tolerance, "rival": best[1],
                       "ours": mine["median"], "best": best[0]}


def summarize(cells, rows):
    """All cells that have rows, in their order."""
    result = []
    for cell in cells:
        of_cell = [r for r in rows if r["side"] == cell.side and r["cell"] == cell.name]
        if not of_cell:
            continue
        names = sorted({r["peer"] for r in of_cell}, key=place)
        of_peers = [summarize_peer(n, [r for r in of_cell if r["peer"] == n], cell.metrics) for n in names]
        result.append({"side": cell.side, "cell": cell.name, "title": cell.title, "rows": of_peers,
                       "ratios": list(ratios(of_peers, cell.metrics))})
    return result
