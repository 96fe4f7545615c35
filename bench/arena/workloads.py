"""The cells of the arena: which workload, with which parameters, and what is read off it."""
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Metric:
    """A figure of a cell. `by`: what the raw value is divided by for the unit. `tolerance`: its name in
    tolerance.json. `own`: it is a ratio already, and is not divided by a rival's."""

    key: str
    title: str
    unit: str
    by: float = 1
    more_is_better: bool = False
    tolerance: str = "throughput"
    own: bool = False
    least: float = 0  # of an own figure, for the check: what is less counts as this


@dataclass(frozen=True)
class Cell:
    side: str  # native, managed, or growth: FastJobs alone, as things grow
    name: str
    title: str
    workload: str  # as the programs call it
    metrics: tuple
    parameters: dict = field(default_factory=dict)
    quick: dict = field(default_factory=lambda: {"scale": 0.1})  # further parameters of --quick
    most_repetitions: int = 99
    all_ways: bool = True  # also FastJobs' other ways to submit
    kind: str = "jobs"  # or channels: which peers
    together: bool = False  # all peers at once: they do not disturb each other


NS_PER_JOB = Metric("ns_per_job", "time", "ns/job")
CPU_PER_JOB = Metric("cpu_ns_per_job", "CPU", "ns/job")
NS_PER_NODE = Metric("ns_per_job", "time", "ns/node")
P50 = Metric("p50_ns", "p50", "µs", 1000)
P99 = Metric("p99_ns", "p99", "µs", 1000, tolerance="tail")
BURST_P50 = Metric("p50_ns", "p50", "ns/job")
BURST_P99 = Metric("p99_ns", "p99", "ns/job", tolerance="tail")
EFFICIENCY = Metric("efficiency", "efficiency", "", more_is_better=True, tolerance="efficiency")
BYTES = Metric("bytes_per_job", "memory", "B/job", tolerance="memory")

PRODUCERS = (1, 2, 4, 8, 16)
WORKERS = (1, 2, 4, 8, 16)
LENGTHS = (0.1, 1, 10, 100)  # µs


def _throughput(name, title, jobs, metrics=(NS_PER_JOB, CPU_PER_JOB), **parameters):
    return Cell("native", name, title, "throughput", metrics, {"jobs": jobs, **parameters})


def _native():
    yield _throughput("W1", "one producer, empty jobs", 2e6)
    yield _throughput("W2", "two producers, empty jobs", 2e6, producers=2)
    yield Cell("native", "W3", "a job submits a million jobs", "fan-out", (NS_PER_JOB, CPU_PER_JOB))
    yield Cell("native", "W4", "round trip: submit, block until it has run", "round-trip", (P50, P99, CPU_PER_JOB))
    yield Cell("native", "W5", "backlog of 1,000,000 behind blocked workers", "backlog",
               (Metric("enqueue_ns", "submit", "ns/job"), Metric("drain_ns_per_job", "drain", "ns/job"), BYTES))
    yield _throughput("W6", "jobs of 1 µs, two workers", 5e5, (EFFICIENCY, CPU_PER_JOB), us=1)
    yield Cell("native", "W7", "idle, processor time", "idle", (Metric("cpu_ms", "CPU", "ms", tolerance="idle"),),
               {"seconds": 5}, {"seconds": 1}, most_repetitions=1, all_ways=False, together=True)
    for n in PRODUCERS[2:]:
        yield _throughput(f"producers-{n}", f"{n} producers, empty jobs", 1e6, producers=n)
    for n in WORKERS:
        if n != 2:
            yield _throughput(f"workers-{n}", f"one producer, {n} workers, empty jobs", 1e6, workers=n)
    for us, jobs in zip(LENGTHS, (1e6, None, 5e4, 1e4)):
        if jobs:
            yield _throughput(f"length-{us:g}", f"jobs of {us:g} µs, two workers", jobs, (EFFICIENCY,), us=us)
    yield Cell("native", "bursts", "bursts of 1,000 jobs, pauses of 1 ms", "bursts", (BURST_P50, BURST_P99, CPU_PER_JOB))
    yield _throughput("batch", "256 jobs at a time, by the peer's way for that if it has one", 2e6, batch=1)
    yield Cell("native", "lanes", "round trip beside a lane full of sleeping jobs", "lanes",
               (P99, Metric("p99_ratio", "p99 beside / p99 idle", "", tolerance="tail", own=True)), all_ways=False)
    yield Cell("native", "backlog-10M", "backlog of 10,000,000", "backlog",
               (Metric("ns_at_10M", "submit at 10 M", "ns/job"), Metric("drain_ns_per_job", "drain", "ns/job"), BYTES),
               {"jobs": 1e7}, most_repetitions=1)
    yield Cell("native", "tree", "tree of jobs, parents continue", "tree", (NS_PER_NODE,))
    yield Cell("native", "tree-wait", "tree of jobs, parents wait", "tree-wait", (NS_PER_NODE,), all_ways=False)
    yield Cell("native", "pipeline", "three lanes with a worker each", "pipeline",
               (Metric("ns_per_job", "time", "ns/item"), Metric("cpu_ns_per_job", "CPU", "ns/item")))
    yield Cell("native", "completion", "completion on the loop's thread, one job at a time", "completion", (P50, P99),
               {"jobs": 3e4}, all_ways=False)
    yield Cell("native", "completion-64", "the same, 64 jobs under way", "completion", (NS_PER_JOB, P99),
               {"jobs": 2e5, "window": 64}, all_ways=False)
    yield Cell("native", "ping-pong", "two lanes with a worker each, job submits job", "ping-pong",
               (Metric("ns_per_job", "hop", "µs", 1000),), {"jobs": 3e4})
    yield Cell("native", "echo", "echo through the event loop, one connection", "echo", (P50, P99), {"jobs": 3e4},
               all_ways=False)
    yield Cell("native", "echo-32", "the same, 32 connections", "echo", (Metric("ns_per_job", "time", "µs/message", 1000),),
               {"jobs": 1e5, "connections": 32}, all_ways=False)


ALLOCATED = Metric("allocated_per_job", "allocated", "B/job", tolerance="memory", own=True, least=2)
SHAPES = ((1, 1), (2, 2), (1, 4), (4, 1), (8, 8))  # writers, readers of a channel


def _managed():
    empty = (NS_PER_JOB, CPU_PER_JOB, ALLOCATED)
    for producers, name in ((1, "one producer"), (2, "two producers")):
        yield Cell("managed", f"W{producers}", f"{name}, empty jobs", "throughput", empty,
                   {"jobs": 2e6, "producers": producers})
    yield Cell("managed", "W4", "round trip: submit, block until it has run", "round-trip", (P50, P99, CPU_PER_JOB),
               {"jobs": 5e4})
    yield Cell("managed", "W5", "backlog of 1,000,000 behind blocked workers", "backlog",
               (Metric("enqueue_ns", "submit", "ns/job"), Metric("drain_ns_per_job", "drain", "ns/job"), BYTES))
    yield Cell("managed", "W6", "jobs of 1 µs, two workers", "throughput", (EFFICIENCY, CPU_PER_JOB), {"jobs": 5e5, "us": 1})
    item = (Metric("ns_per_job", "time", "ns/item"), Metric("cpu_ns_per_job", "CPU", "ns/item"),
            Metric("allocated_per_job", "allocated", "B/item", tolerance="memory", own=True, least=2))
    for prefix, title, more in (("", "unbounded channel", {}), ("bounded-", "channel bounded to 1,024", {"bounded": 1024}),
                                ("async-", "unbounded channel, async methods", {"async": 1}),
                                ("bounded-async-", "channel bounded to 1,024, async methods", {"bounded": 1024, "async": 1})):
        for writers, readers in SHAPES:
            yield Cell("managed", f"channel-{prefix}{writers}x{readers}",
                       f"{title}, {writers} to {readers}", "channel", item,
                       {"jobs": 1e6, "writers": writers, "readers": readers, **more}, kind="channels")


FLAT = Metric("flatness", "dearest by smallest size", "", tolerance="growth", own=True, least=1)
DEPTHS, LANES, QUEUES = (1000, 10000, 100000, 1000000), (1, 10, 100, 1000), (1, 100, 1000, 10000)


def _growth():
    def instructions(name, title, sizes):
        at = tuple(Metric(f"at_{n}", f"at {n:,}", "instructions/job", tolerance="growth", own=True) for n in sizes)
        return Cell("growth", name, title, name, (*at, FLAT), {"full": sizes, "quick": sizes[:3]}, most_repetitions=1)

    yield instructions("depth", "instructions a job, by jobs that wait in its lane", DEPTHS)
    yield instructions("lanes", "instructions a job, by lanes in the process", LANES)
    yield instructions("queues", "instructions a job of a named queue, by idle queues beside it", QUEUES)
    yield Cell("growth", "memory", "an idle lane", "memory", (Metric("bytes_per_lane", "memory", "B", tolerance="memory", own=True),),
               {"full": (1000,), "quick": (1000,)}, most_repetitions=1)
    yield Cell("growth", "start", "from loading the library to the first job done", "start",
               (Metric("first_job_ms", "median", "ms", tolerance="tail", own=True),
                Metric("least_ms", "least", "ms", tolerance="tail", own=True),
                Metric("loaded_ms", "loaded after", "ms", tolerance="tail", own=True)),
               {"full": (1,), "quick": (1,)}, most_repetitions=1)


CELLS = (*_native(), *_managed(), *_growth())


def derived(cell, metrics):
    """What follows from the raw figures: the share of the workers' time that went into the jobs."""
    us = cell.parameters.get("us")
    if us and "ns_per_job" in metrics:
        workers = cell.parameters.get("workers", 2)
        metrics["efficiency"] = us * 1000 / workers / metrics["ns_per_job"]
    return metrics
