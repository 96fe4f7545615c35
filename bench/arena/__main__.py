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
    parser.add_argument("--only", metavar="REGEX", type=pattern, default="", help="only cells whose 'side name' matches")
    parser.add_argument("--growth", dest="only", action="store_const", const=pattern("^growth "),
                        help="the cost of growth alone; the same as --only '^growth '")
    parser.add_argument("--reps", "--repetitions", dest="repetitions", type=positive, help="default 3, with --quick 1")
    parser.add_argument("--check", action="store_true", help="fail if a ratio is worse than the reference run's")
    parser.add_argument("--keep", action="store_true", help="make this run the reference: bench/results/arena, README.md")
    parser.add_argument("--again", action="store_true", help="run nothing; report the rows of the last run again")
    parser.add_argument("--native", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--library", help=argparse.SUPPRESS)
    parser.add_argument("--managed", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, required=True, help=argparse.SUPPRESS)
    given = parser.parse_args()
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
    began = time.monotonic()
    with open(given.out / "results.jsonl", "w", encoding="utf-8") as rows:
        def write(row):
            rows.write(json.dumps(row) + "\n")
            rows.flush()

        write(head)
        run_all(cells, peers, given.repetitions, given.quick, write, given.native, given.library)
        write({"seconds": round(time.monotonic() - began)})


def wanted(given, side, cell):
    return given.only == "" or given.only.search(f"{side} {cell}") is not None


def checked(given, document):
    """Whether the run is as good as the reference."""
    reference = read_json(KEPT / "summary.json")
    lines = list(check.compare(reference, document, read_json(KEPT / "tolerance.json"),
                               lambda side, cell: wanted(given, side, cell)))
    for line in lines:
        print(f"worse: {line}")
    rows = len([k for k in check.ratios_of(reference) if wanted(given, k[0], k[1])])
    print(f"check: {len(lines)} of {rows} ratios are worse than tolerated")
    return not lines


def main():
    given = arguments()
    given.out.mkdir(parents=True, exist_ok=True)
    if given.check and not (KEPT / "summary.json").exists():
        sys.exit(f"bench: --check needs {KEPT / 'summary.json'}: make a reference run with --keep")
    if not given.again:
        run(given)
    head, rows = read_rows(given.out / "results.jsonl")
    document = {**head, "cells": summarize(CELLS, rows)}
    (given.out / "summary.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    from plots import draw_all  # only here: the rest needs no matplotlib

    drawn = draw_all(document, given.out)
    (given.out / "report.md").write_text(report.write_report(CELLS, document, drawn), encoding="utf-8")
    for line in report.lost(document["cells"]):
        print(f"behind: {line}")
    failed = [r for r in rows if r["status"].startswith(("failed", "error"))]
    for row in failed:
        print(f"failed: {row['side']} {row['cell']} {row['peer']}: {row['status']}")
    print(f"report: {given.out / 'report.md'}")
    good = not any(is_ours(row["peer"]) for row in failed)
    if given.check:
        good = checked(given, document) and good
    if given.keep:
        from keep import keep

        keep(given.out, KEPT, ROOT / "README.md", CELLS, document, drawn)
    sys.exit(0 if good else 1)


main()
