"""What one process of several must know of the others, and what it leaves as it was."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from genmath._base.checks import refuse
from genmath._base.torch import torch

if TYPE_CHECKING:
    from accelerate import Accelerator


@contextlib.contextmanager
def accelerated(precision: str) -> Iterator[Accelerator]:
    """Accelerate's state, which it keeps for the whole process, is left as it was."""
    try:
        from accelerate import Accelerator
        from accelerate.state import AcceleratorState
        from accelerate.utils import DistributedDataParallelKwargs
    except ModuleNotFoundError as missing:
        if missing.name != "accelerate":
            raise
        raise ImportError(
            "accelerate is not installed; run: pip install accelerate safetensors "
            '(or, in a checkout of genmath, pip install ".[train]")',
            name="accelerate",
        ) from None
    if precision not in ("no", "bf16", "fp16"):
        refuse("precision", repr(precision), '"no", "bf16" or "fp16"')
    unused = DistributedDataParallelKwargs(find_unused_parameters=True)  # a game's other player
    was_used = bool(AcceleratorState._shared_state)
    try:
        bare = not getattr(torch, "accelerator", torch.cuda).is_available()
        accelerator = Accelerator(cpu=bare, mixed_precision=precision, kwargs_handlers=[unused])
        if precision == "fp16" and accelerator.device.type == "cpu":
            refuse("precision", repr(precision), '"no" or "bf16" on a CPU')
        kind = accelerator.distributed_type.value
        if kind != "NO" and not kind.startswith("MULTI_"):
            refuse("launch", kind, "processes that each hold the model (DDP)")
        yield accelerator
        # Of what went before, gloo's threads may still hold the tensors, and to drop one they need
        # Python: a thread that does so while Python ends aborts the process. A barrier holds none.
        accelerator.wait_for_everyone()
    finally:
        if not was_used:
            AcceleratorState._reset_state()


def from_main(accelerator: Accelerator, values: list[Any]) -> list[Any]:
    """What the main process has, on every process."""
    if accelerator.num_processes == 1:
        return values
    from accelerate.utils import broadcast_object_list

    return list(broadcast_object_list(values))


def on_main(accelerator: Accelerator, work: Callable[..., object], *given: Any) -> None:
    """Done on the main process. Where it fails no process goes on: each would wait for another."""
    failure: Exception | None = None
    if accelerator.is_main_process:
        try:
            work(*given)
        except Exception as error:
            failure = error
    [said] = from_main(accelerator, [failure and str(failure)])
    if failure is not None:
        raise failure
    if said is not None:
        raise RuntimeError(f"on the main process: {said}")


def anywhere(accelerator: Accelerator, here: bool) -> bool:
    if accelerator.num_processes == 1:
        return here
    said = torch.tensor(float(here), device=accelerator.device)
    return bool(accelerator.reduce(said) > 0)


def seed(device: torch.device, seed: int) -> None:
    """The global generators that what runs on a device draws from."""
    torch.default_generator.manual_seed(seed)
    if device.type == "cuda":
        torch.cuda.manual_seed(seed)


@contextlib.contextmanager
def as_it_was(device: torch.device) -> Iterator[None]:
    """The global generators of the caller, given back."""
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        yield


def leave_signals(_: int) -> None:
    """Of a process that prepares batches: Ctrl-C reaches it too, and its main process ends it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


@contextlib.contextmanager
def asked_to_stop(accelerator: Accelerator, listens: bool) -> Iterator[list[int]]:
    """Ctrl-C and SIGTERM are noted. A second one acts as it always did, save where there are
    several processes: what launched them passes the first on, and ends who does not end."""
    asked: list[int] = []
    before: dict[int, Any] = {}

    def note(number: int, _: object) -> None:
        asked.append(number)
        if accelerator.num_processes == 1:
            signal.signal(number, before[number])

    if listens and threading.current_thread() is threading.main_thread():
        for wanted in (signal.SIGINT, signal.SIGTERM):
            before[wanted] = signal.signal(wanted, note)
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
