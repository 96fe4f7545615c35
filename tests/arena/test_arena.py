"""The arena's own logic: medians, best rivals, ratios, the check against a reference run, the README's block."""
import copy
import itertools
import json
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench" / "arena"))

import check  # noqa: E402
import goals  # noqa: E402
import growth  # noqa: E402
import keep  # noqa: E402
import report  # noqa: E402
import runner  # noqa: E402
from documents import read_json  # noqa: E402
from peers import Peer  # noqa: E402
from summary import summarize  # noqa: E402
from workloads import CELLS, Cell, Metric  # noqa: E402

TIME = Metric("ns_per_job", "time", "ns/job")
SHARE = Metric("efficiency", "efficiency", "", more_is_better=True, tolerance="efficiency")
OWN = Metric("p99_ratio", "p99 beside / p99 idle", "", tolerance="tail", own=True)
CELL = Cell("native", "W1", "one producer", "throughput", (TIME, SHARE, OWN))
TOLERANCES = {"kinds": {"throughput": 1.5, "tail": 2.0, "efficiency": 1.25}, "rows": {}}


def row(peer, repetition=0, status="ok", cell="W1", **metrics):
    return {"side": "native", "cell": cell, "peer": peer, "repetition": repetition, "status": status, "metrics": metrics}


def rows():
    return [
        row("glib", 0, ns_per_job=300, efficiency=0.4, p99_ratio=9),
        row("fastjobs", 0, ns_per_job=50, efficiency=0.6, p99_ratio=1.1),
        row("asio", 0, ns_per_job=200, efficiency=0.5),
        row("fastjobs", 1, ns_per_job=70, efficiency=0.7, p99_ratio=1.3),
        row("glib", 1, ns_per_job=100, efficiency=0.3),
        row("fastjobs", 2, ns_per_job=60, efficiency=0.5, p99_ratio=1.2),
        row("asio", 1, "failed: signal 11"),
        row("apr", 0, "n/a: no such thing"),
        row("fastjobs call", 0, ns_per_job=400, efficiency=0.1),
    ]


def document(of=None):
    return {"environment": {"cpu": "c", "mode": "full"}, "peers": [], "missing": [], "cells": summarize((CELL,), of or rows())}


class Summary(unittest.TestCase):
    def setUp(self):
        self.cell = document()["cells"][0]
        self.rows = {r["peer"]: r for r in self.cell["rows"]}

    def ratio(self, peer, metric):
        return next(r for r in self.cell["ratios"] if (r["peer"], r["metric"]) == (peer, metric))

    def test_median_and_spread(self):
        self.assertEqual(self.rows["fastjobs"]["metrics"]["ns_per_job"], {"median": 60, "min": 50, "max": 70})

    def test_a_failed_repetition_is_told_of_and_does_not_count(self):
        self.assertEqual(self.rows["asio"]["status"], "failed: signal 11")
        self.assertEqual(self.rows["asio"]["repetitions"], 1)
        self.assertEqual(self.rows["asio"]["metrics"]["ns_per_job"]["median"], 200)

    def test_a_peer_that_cannot_is_not_absent(self):
        self.assertEqual(self.rows["apr"]["status"], "n/a: no such thing")
        self.assertIn("| apr | n/a: no such thing |", "\n".join(report.cell_table(CELL, self.cell)))

    def test_the_best_rival_is_none_of_ours_and_by_its_median(self):
        self.assertEqual(self.ratio("fastjobs", "ns_per_job")["rival"], "asio")  # glib: the median is 200 too, asio < glib
        self.assertAlmostEqual(self.ratio("fastjobs", "ns_per_job")["ratio"], 60 / 200)
        self.assertAlmostEqual(self.ratio("fastjobs call", "ns_per_job")["ratio"], 2)

    def test_more_is_better(self):
        found = self.ratio("fastjobs", "efficiency")
        self.assertEqual(found["rival"], "asio")
        self.assertAlmostEqual(found["ratio"], 0.6 / 0.5)

    def test_a_ratio_by_itself_has_no_rival(self):
        found = self.ratio("fastjobs", "p99_ratio")
        self.assertEqual((found["ratio"], found["rival"]), (1.2, None))

    def test_a_lost_row_is_printed(self):
        text = "\n".join(report.cell_table(CELL, self.cell))
        self.assertIn("2.00 lost", text)
        self.assertIn("0.20 lost", text)
        self.assertNotIn("0.30 lost", text)
        self.assertEqual(len(list(report.lost([self.cell]))), 2)


class Check(unittest.TestCase):
    def compare(self, then, now, **more):
        return [text for _, text in check.compare(then, now, {**TOLERANCES, **more})]

    def test_the_same_run_passes(self):
        self.assertEqual(self.compare(document(), document()), [])

    def doctored(self, peer, metric, by):
        changed = copy.deepcopy(document())
        for ratio in changed["cells"][0]["ratios"]:
            if (ratio["peer"], ratio["metric"]) == (peer, metric):
                ratio["ratio"] *= by
        return changed

    def test_a_worse_ratio_fails_and_is_named(self):
        worse = self.compare(document(), self.doctored("fastjobs", "ns_per_job", 1.6))
        self.assertEqual(len(worse), 1)
        self.assertIn("native W1 fastjobs ns_per_job", worse[0])

    def test_worse_within_the_tolerance_passes(self):
        self.assertEqual(self.compare(document(), self.doctored("fastjobs", "ns_per_job", 1.4)), [])

    def test_a_better_ratio_passes(self):
        self.assertEqual(self.compare(document(), self.doctored("fastjobs", "ns_per_job", 0.1)), [])
        self.assertEqual(self.compare(document(), self.doctored("fastjobs", "efficiency", 10)), [])

    def test_less_efficiency_fails(self):
        self.assertEqual(len(self.compare(document(), self.doctored("fastjobs", "efficiency", 1 / 1.3))), 1)

    def test_each_kind_has_its_tolerance(self):
        self.assertEqual(self.compare(document(), self.doctored("fastjobs", "p99_ratio", 1.9)), [])
        self.assertEqual(len(self.compare(document(), self.doctored("fastjobs", "p99_ratio", 2.1))), 1)

    def test_a_row_may_have_its_own_tolerance(self):
        own = {"native W1 fastjobs ns_per_job": 1.1}
        self.assertEqual(len(self.compare(document(), self.doctored("fastjobs", "ns_per_job", 1.2), rows=own)), 1)

    def test_a_ratio_that_is_gone_fails(self):
        worse = self.compare(document(), document([r for r in rows() if r["peer"] != "fastjobs"]))
        self.assertEqual(len(worse), 3)
        self.assertIn("has no ratio now", worse[0])

    def test_cells_that_were_not_asked_for_are_not_missed(self):
        gone = {**document(), "cells": []}
        self.assertEqual(list(check.compare(document(), gone, TOLERANCES, lambda side, cell: cell != "W1")), [])

    def test_the_committed_tolerances_cover_every_metric(self):
        kinds = read_json(ROOT / "bench" / "results" / "arena" / "tolerance.json")["kinds"]
        for cell in CELLS:
            for metric in cell.metrics:
                self.assertGreater(kinds[metric.tolerance], 1, f"{cell.name} {metric.key}")


class CheckByCommand(unittest.TestCase):
    """The whole way, from the rows of a run to the exit status."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.out, self.reference = Path(folder.name) / "out", Path(folder.name) / "reference"
        self.out.mkdir()
        self.reference.mkdir()
        head = {"environment": {"mode": "full"}, "peers": [], "missing": []}
        lines = [head, row("fastjobs", ns_per_job=50, cpu_ns_per_job=60), row("glib", ns_per_job=100, cpu_ns_per_job=90)]
        (self.out / "results.jsonl").write_text("\n".join(map(json.dumps, lines)) + "\n")
        shutil.copy(ROOT / "bench" / "results" / "arena" / "tolerance.json", self.reference)

    def arena(self, *arguments):
        return subprocess.run([sys.executable, "-B", ROOT / "bench" / "arena", "--again", "--out", self.out,
                               "--reference", self.reference, *arguments], capture_output=True, text=True, timeout=60)

    def test_a_full_run_may_be_kept_and_a_part_not(self):
        self.assertEqual(self.arena("--parse", "--keep").returncode, 0)
        self.assertEqual(self.arena("--parse", "--keep", "--reps", "2").returncode, 0)
        for part in (["--quick"], ["--growth"], ["--only", "W1"]):
            done = self.arena("--parse", "--keep", *part)
            self.assertEqual(done.returncode, 2)
            self.assertIn("--keep wants a full run", done.stderr)

    def test_without_a_reference_it_says_so(self):
        done = self.arena("--check")
        self.assertEqual(done.returncode, 1)
        self.assertIn("make a reference run with --keep", done.stderr)

    def test_the_same_run_passes_and_a_doctored_reference_fails(self):
        self.assertEqual(self.arena().returncode, 0)
        summary = read_json(self.out / "summary.json")
        (self.reference / "summary.json").write_text(json.dumps(summary))
        done = self.arena("--check")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("check: 0 of 2 ratios are worse", done.stdout)
        tolerated = read_json(self.reference / "tolerance.json")["kinds"]["throughput"]
        was = summary["cells"][0]["ratios"][0]["ratio"] = 0.5 / (tolerated * 1.1)
        (self.reference / "summary.json").write_text(json.dumps(summary))
        done = self.arena("--check")
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"worse: native W1 fastjobs ns_per_job: 0.500 of glib, was {was:.3f} of glib", done.stdout)
        self.assertIn("check: 1 of 2 ratios are worse", done.stdout)


class Cells(unittest.TestCase):
    def test_names_are_unique(self):
        names = [(c.side, c.name) for c in CELLS]
        self.assertEqual(len(names), len(set(names)))

    def test_goals_name_cells_and_metrics_that_exist(self):
        for goal in goals.GOALS:
            cell = next(c for c in CELLS if (c.side, c.name) == (goal.side, goal.cell))
            self.assertIn(goal.metric, [m.key for m in cell.metrics])

    def test_goals(self):
        found = {g.text: (value, met) for g, value, _, met in goals.judge(document()["cells"])}
        self.assertEqual(found["W1, one producer"], (0.3, False))
        self.assertEqual(found["W4, round trip p99"], (None, None))

    def test_the_order_of_the_peers_rotates(self):
        self.assertEqual(runner.rotated([1, 2, 3], 4), [2, 3, 1])
        firsts = {runner.rotated(["a", "b", "c"], n)[0] for n in range(3)}
        self.assertEqual(firsts, {"a", "b", "c"})

    def test_quick_parameters_come_on_top(self):
        cell = Cell("native", "x", "", "throughput", (TIME,), {"jobs": 2e6, "seconds": 5}, {"seconds": 1})
        self.assertEqual(runner.parameters_of(cell, False), ["jobs=2e+06", "seconds=5"])
        self.assertEqual(runner.parameters_of(cell, True), ["jobs=2e+06", "seconds=1"])


class Growth(unittest.TestCase):
    def test_what_does_not_depend_on_the_jobs_falls_out(self):
        self.assertEqual(growth.per_job(lambda jobs: 1000000 + 600 * jobs, 1000), 600)
        turns = itertools.cycle((40000, 0, 80000))  # of waiting: some runs have one more
        self.assertEqual(growth.per_job(lambda jobs: 1000000 + 600 * jobs + next(turns), 1000), 600)

    def test_flatness_is_by_the_smallest_size(self):
        self.assertAlmostEqual(growth.put({10: 100.0, 100: 110.0, 1000: 105.0})["flatness"], 1.1)
        self.assertAlmostEqual(growth.flatness({10: 100.0, 100: 90.0}), 1)

    def test_a_tool_that_fails_is_a_failed_row(self):
        cell = next(c for c in CELLS if (c.side, c.name) == ("growth", "memory"))
        self.assertTrue(growth.row_of(cell, "/nonexistent", "", True)["status"].startswith("failed"))


class Rows(unittest.TestCase):
    def run_script(self, script):
        peer = Peer("native", "p", "1", ("sh", "-c", script))
        return runner.run_cell(peer, CELL, False, None)

    def test_a_program_that_answers(self):
        found = self.run_script("""echo '{"status":"ok","metrics":{"ns_per_job":5}}'""")
        self.assertEqual((found["status"], found["metrics"]), ("ok", {"ns_per_job": 5}))

    def test_a_program_that_dies(self):
        found = self.run_script("echo a reason >&2; kill -SEGV $$")
        self.assertEqual(found["status"], "failed: signal 11: a reason")

    def test_a_program_that_says_nothing(self):
        self.assertEqual(self.run_script("exit 3")["status"], "failed: exit status 3")


class Readme(unittest.TestCase):
    def test_the_block_is_replaced_and_nothing_else(self):
        text = f"before\n{keep.BEGIN}\nold\n{keep.END}\nafter\n"
        new = keep.replace_block(text, keep.readme_block((CELL,), {**document(), "environment": {
            "cpu": "c", "processors": 2, "kernel": "k", "commit": "x", "date": "d", "repetitions": 3}}, []))
        self.assertTrue(new.startswith("before\n" + keep.BEGIN) and new.endswith(keep.END + "\nafter\n"))
        self.assertNotIn("old", new)
        self.assertIn("| one producer | time, ns/job | 60.0 | 200 | asio | 0.30 |", new)
        self.assertIn("- W1, one producer 0.30 (wanted 0.125)", new)

    def test_a_run_of_some_cells_is_not_kept(self):
        with self.assertRaisesRegex(SystemExit, "missing: native W2"):
            keep.refuse_less_than_all([c for c in CELLS if c.side == "native"], document())
        keep.refuse_less_than_all([CELL], document())

    def test_what_is_kept_is_enough_for_the_check(self):
        kept = keep.without_others(document())
        self.assertNotIn("others", json.dumps(kept))
        self.assertEqual(list(check.compare(kept, document(), TOLERANCES)), [])

    def test_it_shows_cells_that_there_are(self):
        names = {(c.side, c.name) for c in CELLS}
        for side, cells in keep.CELLS.items():
            self.assertEqual([c for c in cells if (side, c) not in names], [])

    def test_a_readme_without_the_block_is_an_error(self):
        with self.assertRaises(SystemExit):
            keep.replace_block("no block", "block")

    def test_the_readme_has_the_block(self):
        text = (ROOT / "README.md").read_text(encoding="utf-8")
        self.assertIn("x", keep.replace_block(text, "x"))


if __name__ == "__main__":
    unittest.main()
