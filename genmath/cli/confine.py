"""What a process can drop before it runs somebody else's program. Linux; elsewhere it keeps all.

Each part is dropped where the system allows it, and the program runs all the same where not:
`docs/teach.md` says what that leaves possible.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import struct
import sys

GIB = 2**30
LIMITS = {  # generous: torch, with its threads, must fit
    "RLIMIT_AS": 16 * GIB,
    "RLIMIT_FSIZE": GIB // 4,
    "RLIMIT_NOFILE": 256,
    "RLIMIT_NPROC": 2048,
    "RLIMIT_CORE": 0,
}
NEW_USER, NEW_NET, NEW_PID, NEW_IPC, NEW_NS = 1 << 28, 1 << 30, 1 << 29, 1 << 27, 1 << 17
PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS = 1, 38
MS_BIND, MOUNT_SETATTR, READ_ONLY, HERE, RECURSIVE = 4096, 442, 1, -100, 0x8000
CAPABILITIES_3 = 0x20080522
LANDLOCK = 444  # the first of its three calls, on every architecture
WRITE_FILE, TO_WRITE = 1 << 1, (1 << 1) | (0x1FF << 4)  # files; what makes and removes names
ABI_ADDS = {2: 1 << 13, 3: 1 << 14}  # to link elsewhere, to truncate
SIGNALS_AND_SOCKETS = 3  # scopes, from ABI 6 on: none to a process outside


def confine(folder: str) -> None:
    """Limits; namespaces without a network and without other processes; and nothing can be written
    or changed but in `folder`. Returns in the process that goes on, which may be a child."""
    limit()
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if unshare(libc):
            mount_read_only(libc, folder)
        libc.capset(struct.pack("Ii", CAPABILITIES_3, 0), bytes(24))  # no way back
        libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        write_only_in(libc, folder)


def limit() -> None:
    with contextlib.suppress(ImportError):
        import resource

        for name, most in LIMITS.items():
            with contextlib.suppress(AttributeError, ValueError, OSError):
                kind = getattr(resource, name)
                now = resource.getrlimit(kind)
                least = min([most, *(each for each in now if each != resource.RLIM_INFINITY)])
                resource.setrlimit(kind, (least, least))


def unshare(libc: ctypes.CDLL) -> bool:
    """A user, a network, mounts and processes of our own. The first process of a namespace takes
    all others with it when it ends: nothing stays behind."""
    user, group = os.getuid(), os.getgid()
    if libc.unshare(NEW_USER | NEW_NET | NEW_PID | NEW_IPC | NEW_NS):
        return False
    for name, words in (
        ("setgroups", "deny"),
        ("uid_map", f"{user} {user} 1"),
        ("gid_map", f"{group} {group} 1"),
    ):
        with contextlib.suppress(OSError), open(f"/proc/self/{name}", "w") as stream:
            stream.write(words)
    for _ in range(2):  # the first process of a namespace ignores signals, so it only waits
        go_on_in_a_child(libc)
    return True


def go_on_in_a_child(libc: ctypes.CDLL) -> None:
    child = os.fork()
    if child == 0:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        return
    ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    os._exit(ended if ended >= 0 else 128 - ended)


def mount_read_only(libc: ctypes.CDLL, folder: str) -> None:
    """Then no mode and no time of a file can be changed either, which Landlock leaves open."""
    here = os.fsencode(folder)
    libc.mount(here, here, None, MS_BIND, None)
    libc.syscall(MOUNT_SETATTR, HERE, b"/", RECURSIVE, struct.pack("QQQQ", READ_ONLY, 0, 0, 0), 32)
    libc.syscall(MOUNT_SETATTR, HERE, here, 0, struct.pack("QQQQ", 0, READ_ONLY, 0, 0), 32)
    os.chdir(folder)


def write_only_in(libc: ctypes.CDLL, folder: str) -> None:
    """Landlock: what lies elsewhere can be read and not written, and no process outside be told
    anything."""
    abi = libc.syscall(LANDLOCK, None, 0, 1)
    if abi < 1:
        return
    denied = TO_WRITE | sum(bit for since, bit in ABI_ADDS.items() if abi >= since)
    rules = struct.pack("QQQ", denied, 0, SIGNALS_AND_SOCKETS if abi >= 6 else 0)
    size = 24 if abi >= 6 else 16 if abi >= 4 else 8
    ruleset = libc.syscall(LANDLOCK, rules, size, 0)
    if ruleset < 0:
        return
    for path, allowed in ((folder, denied), ("/dev/null", WRITE_FILE)):
        with contextlib.suppress(OSError):
            place = os.open(path, os.O_PATH | os.O_CLOEXEC)
            libc.syscall(LANDLOCK + 1, ruleset, 1, struct.pack("=Qi", allowed, place), 0)
            os.close(place)
    libc.syscall(LANDLOCK + 2, ruleset, 0)
    os.close(ruleset)
