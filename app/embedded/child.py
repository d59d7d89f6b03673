"""A child process: started so that it dies with its parent, and as an unprivileged user where that is needed."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

NOBODY = 65534

# Numbers of the kernel interface: see the manual pages of prctl and capset.
_PDEATHSIG = 1
_KEEPCAPS = 8
_SET_SECUREBITS = 28
_NO_SETUID_FIXUP = 1 << 2
_CAP_AMBIENT = 47
_CAP_AMBIENT_RAISE = 2
_CAPABILITY_VERSION_3 = 0x20080522
_CAP_DAC_OVERRIDE = 1
_CAP_DAC_READ_SEARCH = 2

_LINUX = sys.platform == "linux"
_libc = ctypes.CDLL(None, use_errno=True)


class _CapabilityHeader(ctypes.Structure):
    _fields_ = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]


class _CapabilityData(ctypes.Structure):
    _fields_ = [("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32)]


def start(
    command: Sequence[str],
    *,
    log: IO[bytes] | int,
    env: Mapping[str, str] | None = None,
    uid: int | None = None,
    cwd: Path | None = None,
    on_death: signal.Signals = signal.SIGKILL,
) -> subprocess.Popen[bytes]:
    """Start ``command`` so that the kernel sends it ``on_death`` when the thread that called us goes away.

    ``uid`` drops privileges first (PostgreSQL refuses to run as root). The death signal is set after that, because
    the kernel clears it when a process changes its user (prctl(2)).
    """
    parent = os.getpid()

    def prepare() -> None:
        if uid is not None:
            _become(uid)
        if _LINUX:
            _libc.prctl(_PDEATHSIG, int(on_death), 0, 0, 0)
        if os.getppid() != parent:  # the parent died between fork and prctl
            os._exit(1)

    return subprocess.Popen(  # noqa: S603 - our own command lines
        list(command),
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        env=dict(env) if env is not None else None,
        cwd=cwd,
        start_new_session=True,  # Ctrl-C reaches the supervisor only; it stops its children in order
        preexec_fn=prepare,  # noqa: PLW1509 - only system calls between fork and exec
    )


def _become(uid: int) -> None:
    """Become ``uid``, but keep the right to walk through folders that are closed to it.

    A checkout below a home folder of mode 0700 is the normal case for root; the server's binaries and data lie in it.
    Without these capabilities (a locked-down container) the folder must be open: start then fails with a clear line.
    """
    os.setgroups([])
    os.setgid(uid)
    if _LINUX:
        _libc.prctl(_KEEPCAPS, 1, 0, 0, 0)
        # access(2) asks with the real user's rights unless this bit is set, and initdb looks for its programs with it.
        _libc.prctl(_SET_SECUREBITS, _NO_SETUID_FIXUP, 0, 0, 0)
    os.setuid(uid)
    if _LINUX:
        mask = 1 << _CAP_DAC_OVERRIDE | 1 << _CAP_DAC_READ_SEARCH
        data = (_CapabilityData * 2)(_CapabilityData(mask, mask, mask))
        _libc.capset(ctypes.byref(_CapabilityHeader(_CAPABILITY_VERSION_3, 0)), ctypes.byref(data))
        for capability in (_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH):
            _libc.prctl(_CAP_AMBIENT, _CAP_AMBIENT_RAISE, capability, 0, 0)


def stop(process: subprocess.Popen[bytes], *, how: signal.Signals = signal.SIGTERM, seconds: float = 10) -> None:
    """Ask ``process`` to end, and kill it when it has not after ``seconds``."""
    if process.poll() is not None:
        return
    process.send_signal(how)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
