"""How long a process may compute. Processor time is what counts, so that a busy machine makes no
verdict; the clock only ends what sleeps."""

from __future__ import annotations

import contextlib
import math
import signal
import time


def allow(seconds: float) -> None:
    """From now on this process may compute for `seconds`; then the system ends it by SIGXCPU.

    Even inside one huge number, where no Python code runs. Without `resource` there is the clock.
    """
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
        most = resource.getrlimit(resource.RLIMIT_CPU)[1]
        end = math.ceil(time.process_time() + seconds)
        resource.setrlimit(resource.RLIMIT_CPU, (end, most))


def forbid_more() -> None:
    """What was allowed is all: a second later no handler helps, and nothing raises it again."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        end = resource.getrlimit(resource.RLIMIT_CPU)[0]
        resource.setrlimit(resource.RLIMIT_CPU, (end, end + 1))


def spent(exitcode: int | None) -> bool:
    """Whether a process ended because it had computed for as long as it may."""
    return exitcode is not None and -exitcode == getattr(signal, "SIGXCPU", None)


def patience(seconds: float) -> float:
    """Seconds on the clock after which whoever was allowed `seconds` must be asleep."""
    return 3 * seconds + 30
