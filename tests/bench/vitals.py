"""What a process uses, as the kernel counts it."""

import os
from pathlib import Path


def cpu_s(pid: int) -> float:
    """Seconds on a processor of all threads of a process."""
    spent = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        spent += int((task / "schedstat").read_text().split()[0])
    return spent / 1e9


def family_cpu_s(pid: int) -> float:
    """The same of a process and its children; a child that has ended is no longer counted."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return cpu_s(pid) + sum(cpu_s(int(child)) for child in children)


def lineage_cpu_s(pid: int) -> float:
    """The same of a process and its children, those included that have ended and whose end it has noticed."""
    ticks = 0
    for one in (pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())):
        after_name = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        ticks += sum(map(int, after_name[11:15]))  # utime, stime, cutime, cstime of proc(5)
    return ticks / os.sysconf("SC_CLK_TCK")
