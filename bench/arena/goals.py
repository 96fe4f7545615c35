"""What we want, as ratios to the best rival of the same run or as figures of our own."""
from dataclasses import dataclass

from workloads import CELLS

CHANNELS = [c.name for c in CELLS if c.kind == "channels"]


@dataclass(frozen=True)
class Goal:
    text: str
    side: str
    cell: str
    metric: str
    limit: float
    peer: str = "fastjobs"
    at_least: bool = False
    rival: str = ""  # which, if not the best
    own: bool = False  # the figure itself, and not its ratio to a rival's


GOALS = (
    Goal("W1, one producer", "native", "W1", "ns_per_job", 1 / 8),
    Goal("W1, one producer, calls", "native", "W1", "ns_per_job", 1 / 8, peer="fastjobs call"),
    Goal("W2, two producers", "native", "W2", "ns_per_job", 1 / 5),
    Goal("W2, two producers, calls", "native", "W2", "ns_per_job", 1 / 5, peer="fastjobs call"),
    Goal("W2, on a lane that gives up order", "native", "W2", "ns_per_job", 1 / 8, peer="fastjobs relaxed"),
    Goal("batch submit of jobs", "native", "batch", "ns_per_job", 1 / 20),
    Goal("batch submit of calls", "native", "batch", "ns_per_job", 1 / 20, peer="fastjobs call"),
    Goal("W4, round trip p50", "native", "W4", "p50_ns", 1 / 10),
    Goal("W4, round trip p50, calls", "native", "W4", "p50_ns", 1 / 10, peer="fastjobs call"),
    Goal("W4, round trip p99", "native", "W4", "p99_ns", 1),
    Goal("W6, efficiency with jobs of 1 µs", "native", "W6", "efficiency", 1, at_least=True),
    Goal("p99 beside a lane of sleepers, by p99 idle", "native", "lanes", "p99_ratio", 1.25, own=True),
    Goal("W7, CPU when idle", "native", "W7", "cpu_ms", 1),
    Goal("W1 of .NET, by the ThreadPool's", "managed", "W1", "ns_per_job", 1 / 2, rival="ThreadPool"),
    Goal("W2 of .NET, by the ThreadPool's", "managed", "W2", "ns_per_job", 1 / 2, rival="ThreadPool"),
    Goal("W1 of .NET, bytes allocated a job", "managed", "W1", "allocated_per_job", 0.1, own=True),
    Goal("W2 of .NET, bytes allocated a job", "managed", "W2", "allocated_per_job", 0.1, own=True),
    Goal("channel, 2 to 2, by the BCL's unbounded", "managed", "channel-2x2", "ns_per_job", 1 / 3, rival="BCL channel"),
    *(Goal(f"flat instructions a job, by {what}", "growth", cell, "flatness", 1.1, own=True)
      for cell, what in (("depth", "depth"), ("lanes", "lanes"), ("queues", "idle queues"))),
    Goal("first job done after loading, ms", "growth", "start", "first_job_ms", 2, own=True),
    *(Goal(f"{name}, not slower than the BCL's", "managed", name, "ns_per_job", 1) for name in CHANNELS),
)


def median_of(cell, peer, metric):
    for row in cell["rows"]:
        if row["peer"] == peer and metric in row["metrics"]:
            return row["metrics"][metric]["median"]
    return None


def value_of(goal, summary):
    """What was measured for it: (figure, rival or None), or None."""
    for cell in summary:
        if (cell["side"], cell["cell"]) != (goal.side, goal.cell):
            continue
        mine = median_of(cell, goal.peer, goal.metric)
        if goal.own:
            return None if mine is None else (mine, None)
        if goal.rival:
            theirs = median_of(cell, goal.rival, goal.metric)
            return (mine / theirs, goal.rival) if mine is not None and theirs else None
        for ratio in cell["ratios"]:
            if (ratio["peer"], ratio["metric"]) == (goal.peer, goal.metric):
                return ratio["ratio"], ratio["rival"]
    return None


def judge(summary):
    """For each goal: (goal, value or None, rival or None, met or None)."""
    for goal in GOALS:
        found = value_of(goal, summary)
        if found is None:
            yield goal, None, None, None
        else:
            value, rival = found
            yield goal, value, rival, value >= goal.limit if goal.at_least else value <= goal.limit
