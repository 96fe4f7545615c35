"""What a report says about the machine and the build."""
import os
import platform
import subprocess
from datetime import datetime, timezone
from pathlib import Path


def said(*command, cwd=None):
    """The first line of a command's output, or "unknown"."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, cwd=cwd, timeout=60, check=True)
        return done.stdout.strip().splitlines()[0]
    except (OSError, subprocess.SubprocessError, IndexError):
        return "unknown"


def processor():
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def memory():
    words = Path("/proc/meminfo").read_text(encoding="utf-8").split()
    return f"{int(words[words.index('MemTotal:') + 1]) / 1048576:.0f} GiB"


def environment_of(root, given):
    changed = subprocess.run(["git", "diff", "--quiet", "HEAD"], cwd=root, capture_output=True, check=False).returncode
    return {
        "date": datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": said("git", "rev-parse", "--short=12", "HEAD", cwd=root) + (" and changes" if changed == 1 else ""),
        "cpu": processor(),
        "processors": os.cpu_count(),
        "memory": memory(),
        "kernel": platform.release(),
        "compiler": said("c++", "--version"),
        "dotnet": said("dotnet", "--version"),
        "load_before": " ".join(f"{x:.2f}" for x in os.getloadavg()),
        "repetitions": given.repetitions,
        "mode": "quick: a tenth of the jobs" if given.quick else "full",
    }
