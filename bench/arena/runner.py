"""Runs the cells: one fresh process a cell, peer and repetition; the order of the peers rotates."""
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import growth
from workloads import derived

TIME_LIMIT = 60  # seconds of a process; the native programs end themselves after 40


def parameters_of(cell, quick):
    merged = {**cell.parameters, **(cell.quick if quick else {})}
    return [f"{name}={value:g}" for name, value in merged.items()]


def run_cell(peer, cell, quick, environment):
    """The row of one process, whatever became of it."""
    row = {"side": cell.side, "cell": cell.name, "peer": peer.name}
    command = [*peer.command, cell.workload, *parameters_of(cell, quick)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIME_LIMIT, env=environment)
    except subprocess.TimeoutExpired:
        return {**row, "status": f"failed: more than {TIME_LIMIT} s", "metrics": {}}
    lines = done.stdout.splitlines()
    if done.returncode < 0 or not lines:
        how = f"signal {-done.returncode}" if done.returncode < 0 else f"exit status {done.returncode}"
        said = done.stderr.strip().splitlines()
        return {**row, "status": f"failed: {how}" + (f": {said[-1]}" if said else ""), "metrics": {}}
    said = json.loads(lines[-1])
    return {**row, "status": said["status"], "metrics": derived(cell, said["metrics"])}


def rotated(peers, by):
    by %= max(len(peers), 1)
    return peers[by:] + peers[:by]


def competitors(cell, peers):
    return [p for p in peers if (p.side, p.kind) == (cell.side, cell.kind) and (cell.all_ways or not p.ours or p.name == "fastjobs")]


def spins_per_us(peers):
    """How long a microsecond of work is, the same for all native peers."""
    native = [p for p in peers if p.side == "native"]
    if not native:
        return "0"
    return subprocess.run([native[0].command[0], "--calibrate"], check=True, capture_output=True, text=True,
                          timeout=60).stdout.strip()


def run_all(cells, peers, repetitions, quick, write, native, library):
    """Calls write(row) for each process. native: the folder of the native programs."""
    environment = {**os.environ, "ARENA_SPINS_PER_US": spins_per_us(peers)}
    began = time.monotonic()
    for repetition in range(repetitions):
        for number, cell in enumerate(cells):
            if repetition >= cell.most_repetitions:
                continue
            print(f"      {time.monotonic() - began:5.0f} s  repetition {repetition + 1}/{repetitions}  "
                  f"{cell.side} {cell.name}: {cell.title}", file=sys.stderr, flush=True)
            if cell.side == "growth":
                row = growth.row_of(cell, native, library, quick)
                write({**row, "repetition": repetition, "load": os.getloadavg()[0]})
                continue
            order = rotated(competitors(cell, peers), repetition + number)
            with ThreadPoolExecutor(len(order) if cell.together else 1) as threads:
                rows = threads.map(lambda peer: run_cell(peer, cell, quick, environment), order)
                for row in rows:
                    if row["status"].startswith(("failed", "error")):
                        print(f"      {row['peer']}: {row['status']}", file=sys.stderr, flush=True)
                    write({**row, "repetition": repetition, "load": os.getloadavg()[0]})
