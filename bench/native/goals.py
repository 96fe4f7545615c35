#!/usr/bin/env python3
"""goals.py summary.jsonl: our medians as ratios to the best rival's, goal by goal. Prints lost rows like won ones."""
import json
import sys

JOB_BYTES = 96  # sizeof(ec_async_job): the caller's struct, in which a rival has the caller's node


def main():
    rows = {}
    with open(sys.argv[1]) as f:
        for line in f:
            d = json.loads(line)
            rows[d["peer"], d["workload"]] = d["metrics"]
    rivals = sorted({p for p, _ in rows if p != "fastjobs"})

    def best(workload, metric, pick=min):
        got = [(rows[r, workload][metric], r) for r in rivals if metric in rows.get((r, workload), {})]
        return pick(got) if got else (float("nan"), "no rival")

    def ours(workload, metric):
        return rows.get(("fastjobs", workload), {}).get(metric, float("nan"))

    print(f"{'goal':34} {'ours':>10} {'best rival':>10}  {'ratio':>6}  {'wanted':>12}")

    def row(what, mine, rival, wanted, holds):
        value, name = rival
        ratio = mine / value if value else float("nan")
        mark = "yes" if holds(mine, ratio) else "NO"
        print(f"{what:34} {mine:10.2f} {value:10.2f}  {ratio:6.2f}  {wanted:>12}  {mark:3}  {name}")

    for w in ("W1", "W2"):
        row(f"{w} ns a job", ours(w, "ns_per_job"), best(w, "ns_per_job"), "<= 0.25", lambda m, r: r <= 0.25)
    row("W3 ns a job", ours("W3", "ns_per_job"), best("W3", "ns_per_job"), "-", lambda m, r: True)
    row("W4 round trip p50, us", ours("W4", "p50_ns") / 1000, scaled(best("W4", "p50_ns"), 1000), "<= 1", lambda m, r: r <= 1)
    row("W4 round trip p99, us", ours("W4", "p99_ns") / 1000, scaled(best("W4", "p99_ns"), 1000), "-", lambda m, r: True)
    row("W5 bytes beyond the struct", ours("W5", "bytes_per_job") - JOB_BYTES, best("W5", "bytes_per_job"), "<= 16", lambda m, r: m <= 16)
    row("W5 enqueue at 1M / at 1k", ours("W5", "ns_at_1M") / ours("W5", "ns_at_1k"), (1.0, "flat"), "flat", lambda m, r: r <= 1.5)
    row("W6 efficiency", ours("W6", "efficiency"), best("W6", "efficiency", max), ">= 0.97", lambda m, r: r >= 0.97)
    row("W7 idle CPU, ms in 5 s", ours("W7", "cpu_ms"), best("W7", "cpu_ms"), "< 1", lambda m, r: m < 1)


def scaled(best, by):
    value, name = best
    return value / by, name


if __name__ == "__main__":
    main()
