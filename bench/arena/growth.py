"""The cost of growth: instructions a job by callgrind, memory of idle lanes, time from loading to the first job."""
import os
import re
import statistics
import subprocess
from pathlib import Path

RUNTIME_UNDER_VALGRIND = {"DOTNET_GCRegionRange": "40000000"}  # the runtime reserves more than valgrind has
STARTS = 15
READINGS = 5
MANY = 100_000


def instructions(program, *arguments):
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", program, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=True,
                          env={**os.environ, **RUNTIME_UNDER_VALGRIND})
    return int(re.search(r"Collected : (\d+)", done.stderr).group(1))


def per_job(count, jobs):
    """What a job costs: the difference between twice the jobs and the jobs, so that all else falls out.

    What a run does once more or less, such as a turn of waiting, is some ten thousand instructions and only adds: of few
    jobs the least of several readings is taken.
    """
    readings = READINGS if jobs < MANY else 1
    return (min(count(2 * jobs) for _ in range(readings)) - min(count(jobs) for _ in range(readings))) / jobs


def flatness(points):
    """How much more the most expensive size costs than the smallest."""
    values = list(points.values())
    return max(values) / values[0]


def by_depth(program, sizes):
    return {n: per_job(lambda jobs: instructions(program, "depth", jobs), n) for n in sizes}


def by_number(program, what, sizes, jobs=5000):
    return {n: per_job(lambda k, n=n: instructions(program, what, k, n), jobs) for n in sizes}


def put(points):
    metrics = {f"at_{n}": value for n, value in points.items()}
    return {**metrics, "flatness": flatness(points)}


def starts(program, library):
    times = []
    for _ in range(STARTS):
        said = subprocess.run([program, library], capture_output=True, text=True, timeout=60, check=True)
        times.append([float(x) / 1000 for x in said.stdout.split()])
    first = [t[1] for t in times]
    return {"loaded_ms": statistics.median(t[0] for t in times), "first_job_ms": statistics.median(first),
            "least_ms": min(first), "most_ms": max(first)}


def measure(cell, folder, library, quick):
    """The metrics of a cell of growth."""
    program = str(Path(folder) / "bench_growth")
    sizes = cell.parameters["quick" if quick else "full"]
    if cell.workload == "depth":
        return put(by_depth(program, sizes))
    if cell.workload in ("lanes", "queues"):
        return put(by_number(program, cell.workload, sizes))
    if cell.workload == "memory":
        said = subprocess.run([program, "memory", str(sizes[0])], capture_output=True, text=True, timeout=60, check=True)
        return {"bytes_per_lane": float(said.stdout)}
    return starts(str(Path(folder) / "bench_start"), library)


def row_of(cell, folder, library, quick):
    row = {"side": cell.side, "cell": cell.name, "peer": "fastjobs"}
    try:
        return {**row, "status": "ok", "metrics": measure(cell, folder, library, quick)}
    except (subprocess.SubprocessError, OSError, AttributeError) as wrong:
        return {**row, "status": f"failed: {wrong}", "metrics": {}}
