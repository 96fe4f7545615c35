"""The programs of the arena and what they call themselves."""
import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

NATIVE = ("fastjobs", "fastjobs_call", "fastjobs_relaxed", "textbook", "uv", "tbb_enqueue", "tbb_group", "glib", "asio",
          "apr_push", "apr_top", "async")

# One colour a peer through all plots.
COLOURS = {
    "fastjobs": "#d62728",
    "fastjobs call": "#e377c2",
    "fastjobs relaxed": "#ff7f0e",
    "textbook": "#7f7f7f",
    "libuv": "#2ca02c",
    "tbb enqueue": "#1f77b4",
    "tbb task_group": "#17becf",
    "glib": "#bcbd22",
    "asio": "#9467bd",
    "apr push": "#8c564b",
    "apr top (LIFO)": "#c49c94",
    "std::async": "#000000",
    "fastjobs shared": "#ff9896",
    "ThreadPool": "#393b79",
    "ThreadPool delegate": "#9c9ede",
    "Task.Run": "#637939",
    "Channel threads": "#8c6d31",
    "Channel async": "#e7ba52",
    "BlockingCollection": "#7b4173",
    "ActionBlock": "#ce6dbd",
    "BCL channel": "#3182bd",
    "BCL channel, single": "#9ecae1",
}


def place(name):
    """The order of the peers in tables and plots: ours first."""
    names = list(COLOURS)
    return (not is_ours(name), names.index(name) if name in names else len(names), name)


@dataclass(frozen=True)
class Peer:
    side: str
    name: str
    version: str
    command: tuple
    kind: str = "jobs"  # or channels

    @property
    def ours(self):
        return is_ours(self.name)


def is_ours(name):
    return name.split()[0] == "fastjobs"


def is_first_way(name):
    """Whether it is FastJobs as it is, and not one of its other ways."""
    return name == "fastjobs"


def find_native(folder):
    """The peers whose programs were built and start, and the names of the others."""
    found, missing = [], []
    for name in NATIVE:
        program = Path(folder) / f"bench_{name}"
        if not program.exists():
            missing.append(name)
            continue
        said = subprocess.run([program, "--info"], check=False, capture_output=True, text=True, timeout=60)
        if said.returncode != 0:
            missing.append(f"{name} (does not start: {said.stderr.strip()})")
            continue
        info = json.loads(said.stdout)
        found.append(Peer("native", info["peer"], info["version"], (str(program),)))
    return found, missing


def find_managed(folder):
    """The peers of .NET; all are in one program."""
    program = Path(folder) / "FastJobs.Benchmarks"
    said = subprocess.run([program, "--peers"], check=True, capture_output=True, text=True, timeout=60)
    infos = [json.loads(line) for line in said.stdout.splitlines()]
    return [Peer("managed", i["peer"], i["version"], (str(program), "--cell", i["peer"]), i["kind"]) for i in infos]
