"""What a process uses, as the kernel counts it."""

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
