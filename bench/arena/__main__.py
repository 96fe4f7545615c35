"""The arena: `./build.sh bench` builds everything and runs this.

usage: arena [--quick] [--only REGEX] [--reps N] [--check] [--keep] --native FOLDER --managed FOLDER --out FOLDER
             --library FILE
       arena --again --out FOLDER [--check] [--keep]      the report of rows that are there already
"""
import argparse
import json
import re
import sys
import time
from pathlib import Path

import check
import report
from documents import read_json, read_rows
from environment import environment_of
from peers import find_managed, find_native, is_ours
from runner import run_all
from summary import summarize
from workloads import CELLS

ROOT = Path(__file__).resolve().parents[2]
KEPT = ROOT / "bench" / "results" / "arena"


def arguments():
    parser = argparse.ArgumentParser(prog="./build.sh bench", description="Runs all rivals and FastJobs, and reports.")
    parser.add_argument("--quick", action="store_true", help="a tenth of the jobs and one repetition: for development")
    parser.add_argument("--only", metavar="REGEX", type=pattern, help="only cells whose 'side name' matches")
    parser.add_argument("--growth", dest="only", action="store_const", const=pattern("^growth "),
                        help="the cost of growth alone; the same as --only '^growth '")
    parser.add_argument("--reps", "--repetitions", dest="repetitions", type=positive, help="default 3, with --quick 1")
    parser.add_argument("--check", action="store_true", help="fail if a ratio is worse than the reference run's")
    parser.add_argument("--keep", action="store_true", help="make this run the reference: bench/results/arena, README.md")
    parser.add_argument("--again", action="store_true", help="run nothing; report the rows of the last run again")
    parser.add_argument("--native", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--reference", type=Path, default=KEPT, help=argparse.SUPPRESS)
    parser.add_argument("--library", help=argparse.SUPPRESS)
    parser.add_argument("--managed", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--parse", action="store_true", help=argparse.SUPPRESS)  # nothing else: before all is compiled
    given = parser.parse_args()
    if given.keep and (given.quick or given.only):
        parser.error("--keep wants a full run: neither --quick nor --only nor --growth")
    given.repetitions = given.repetitions or (1 if given.quick else 3)
    return given


def positive(text):
    if not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of repetitions")
    return int(text)


def pattern(text):
    try:
        return re.compile(text)
    except re.error as wrong:
        raise argparse.ArgumentTypeError(f"{text!r}: {wrong}") from wrong


def run(given):
    """Runs the cells that were asked for; writes results.jsonl."""
    native, missing = find_native(given.native)
    peers = native + find_managed(given.managed)
    cells = [c for c in CELLS if wanted(given, c.side, c.name)]
    if not cells:
        sys.exit(f"bench: no cell matches --only {given.only.pattern!r}; the names are: "
                 + ", ".join(f"{c.side} {c.name}" for c in CELLS))
    head = {"environment": environment_of(ROOT, given), "missing": missing,
            "peers": [{"name": p.name, "side": p.side, "version": p.version} for p in peers]}
    (given.out / "results.jsonl").write_text(json.dumps(head) + "\n", encoding="utf-8")
    run_cells(given, cells, peers)
    return peers


def run_cells(given, cells, peers):
    """Adds the rows of the cells."""
    began = time.monotonic()
    with open(given.out / "results.jsonl", "a", encoding="utf-8") as rows:
        def write(row):
            rows.write(json.dumps(row) + "\n")
            rows.flush()

        run_all(cells, peers, given.repetitions, given.quick, write, given.native, given.library)
        write({"seconds": round(time.monotonic() - began)})


def wanted(given, side, cell):
    return given.only is None or given.only.search(f"{side} {cell}") is not None


def worse_rows(given, document):
    """What the check finds, and of how many ratios."""
    reference = read_json(given.reference / "summary.json")
    if reference["environment"]["mode"] != document["environment"]["mode"]:
        print(f"check: the reference run is {reference['environment']['mode']}, this one {document['environment']['mode']}")
    asked = [key for key in check.ratios_of(reference) if wanted(given, key[0], key[1])]
    found = check.compare(reference, document, read_json(KEPT / "tolerance.json"),
                          lambda side, cell: wanted(given, side, cell))
    return list(found), len(asked)


def written(given):
    """Writes summary.json and the report; returns (document, rows, plots)."""
    head, rows = read_rows(given.out / "results.jsonl")
    loads = sorted(row["load"] for row in rows if "load" in row)
    if loads:
        head["environment"]["load_while_it_ran"] = f"{loads[len(loads) // 2]:.1f}, at most {loads[-1]:.1f}"
    document = {**head, "cells": summarize(CELLS, rows)}
    (given.out / "summary.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    drawn = plots_of(document, given.out)
    (given.out / "report.md").write_text(report.write_report(CELLS, document, drawn), encoding="utf-8")
    return document, rows, drawn


def plots_of(document, folder):
    try:
        from plots import draw_all
    except ImportError as wrong:
        print(f"no plots: {wrong} (Debian: apt-get install python3-matplotlib, and its own python3)")
        return []
    return draw_all(document, folder)


def main():
    given = arguments()
    if given.parse:
        return
    given.out.mkdir(parents=True, exist_ok=True)
    if given.check and not (given.reference / "summary.json").exists():
        sys.exit(f"bench: --check needs {given.reference / 'summary.json'}: make a reference run with --keep")
    peers = [] if given.again else run(given)
    document, rows, drawn = written(given)
    worse, ratios = worse_rows(given, document) if given.check else ([], 0)
    if worse and not given.again:
        # A busy moment of the machine is no regression: what is worse has to be so in twice the repetitions.
        print(f"check: {len(worse)} ratios are worse; their cells are run again")
        again = {key[:2] for key, _ in worse}
        run_cells(given, [c for c in CELLS if (c.side, c.name) in again], peers)
        document, rows, drawn = written(given)
        worse, ratios = worse_rows(given, document)
    for line in report.lost(document["cells"]):
        print(f"behind: {line}")
    failed = [r for r in rows if r["status"].startswith(("failed", "error"))]
    for row in failed:
        print(f"failed: {row['side']} {row['cell']} {row['peer']}: {row['status']}")
    for _, line in worse:
        print(f"worse: {line}")
    if given.check:
        print(f"check: {len(worse)} of {ratios} ratios are worse than tolerated")
    print(f"report: {given.out / 'report.md'}")
    if given.keep and not worse:
        from keep import keep

        keep(given.out, given.reference, ROOT / "README.md", CELLS, document, drawn)
    sys.exit(1 if worse or any(is_ours(row["peer"]) for row in failed) else 0)


main()
