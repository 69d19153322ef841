"""What became of processes that a test started, and of those that they started."""

import time
from pathlib import Path


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def marked(mark):
    """Processes that were started with a mark in their environment, or forked from one.

    None are found where the system has no /proc.
    """
    found = set()
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (entry / "environ").read_bytes() and alive(entry.name):
                found.add(int(entry.name))
        except OSError:
            continue
    return found


def wait_until(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)
