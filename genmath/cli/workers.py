"""Processes that check: a person's file is imported in one that checks nothing else."""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from genmath.cli import limits
from genmath.cli.rechecked import rechecked
from genmath.cli.reports import Report, import_trouble

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.context import BaseContext

    from genmath import book
    from genmath.cli import tasks
    from genmath.cli.apart import File
    from genmath.proof import Derivation

GRACE = 8.0  # seconds a worker may compute beyond its task's: a report itself has no limit
TICK = 0.1  # seconds between two looks at the clock while workers run
LOOSE = 50_000  # objects a worker makes before it looks for cycles: expressions form none
SPARE = 8  # idle workers kept; each has read at most one user's file


def cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def judgements(derivation: Derivation) -> int:
    """How many claims a derivation puts to the judges, each of which may take `--timeout`."""
    tight = sum(len(chain.tight) for chain in derivation.chains)
    return len(derivation.steps) + tight + 2 * len(derivation.slips)


def how_it_ended(exitcode: int | None) -> str:
    if exitcode is not None and exitcode < 0:
        with contextlib.suppress(ValueError):
            return signal.Signals(-exitcode).name
    return f"exit code {exitcode}"


@dataclass
class Outcome:
    """How a request ended."""

    status: str  # "done", "refused" (the input's fault), "failed" (ours), "timeout" or "died"
    value: Any  # an answer, a message, a message, None, an exit code
    seconds: float


@dataclass(frozen=True)
class Task:
    """A request for `_serve`, the seconds it may compute, and the user's file it needs, if any.

    A worker that imported a user's file answers for no other: whatever the file did to the checker
    stays its own affair.
    """

    request: tuple[Any, ...]
    seconds: float
    file: str | None


@dataclass
class _Worker:
    process: Any
    pipe: Connection
    file: str | None
    index: int = -1
    began: float = 0.0
    deadline: float = 0.0


@dataclass
class Pool:
    """Processes that answer requests one at a time, and are killed when a request overruns.

    `concurrent.futures` and `multiprocessing.Pool` cannot kill one hung worker and go on.
    """

    size: int = 1
    needs: str = "genmath.proof.report"  # a module that every process asks for
    idle: list[_Worker] = field(default_factory=list)
    busy: list[_Worker] = field(default_factory=list)
    _before: dict[signal.Signals, Any] = field(default_factory=dict)

    def __enter__(self) -> Pool:
        with contextlib.suppress(ValueError):  # not in the main thread: then no handler
            self._before = {
                signal.SIGTERM: signal.signal(signal.SIGTERM, lambda *_: sys.exit(143)),
                # Who starts us may have had it ignored, and then Python leaves it so.
                signal.SIGINT: signal.signal(signal.SIGINT, signal.default_int_handler),
            }
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self.idle:
            with contextlib.suppress(OSError):
                worker.pipe.send(None)
        for worker in self.idle:
            worker.process.join(1)
        for worker in [*self.idle, *self.busy]:
            self._kill(worker)
        self.idle, self.busy = [], []
        for each, handler in self._before.items():
            signal.signal(each, handler)

    def run(self, tasks: Sequence[Task]) -> Iterator[tuple[int, Outcome] | None]:
        """Yield (index, outcome) as tasks end, in any order; None now and then while they run."""
        from multiprocessing.connection import wait

        waiting = list(reversed(list(enumerate(tasks))))
        while waiting or self.busy:
            while waiting and len(self.busy) < self.size:
                self._assign(*waiting.pop())
            patience = min([TICK, *(w.deadline - time.monotonic() for w in self.busy)])
            ready = wait([w.pipe for w in self.busy], max(0.0, patience))
            for worker in [w for w in self.busy if w.pipe in ready]:
                yield self._collect(worker)
            now = time.monotonic()
            for worker in [w for w in self.busy if now > w.deadline and not w.pipe.poll()]:
                self.busy.remove(worker)
                self._kill(worker)
                yield worker.index, Outcome("timeout", None, now - worker.began)
            yield None

    def running(self) -> list[int]:
        return [worker.index for worker in self.busy]

    def _assign(self, index: int, task: Task) -> None:
        worker = next((w for w in self.idle if w.file == task.file), None)
        if worker:
            self.idle.remove(worker)
        else:
            worker = self._start(task.file)
        worker.index = index
        seconds = task.seconds + GRACE
        worker.began = time.monotonic()
        worker.deadline = worker.began + limits.patience(seconds)
        self.busy.append(worker)
        with contextlib.suppress(OSError):  # it died while idle: `_collect` will see that
            worker.pipe.send((seconds, *task.request))

    def _collect(self, worker: _Worker) -> tuple[int, Outcome]:
        self.busy.remove(worker)
        try:
            status, value = worker.pipe.recv()
        except (EOFError, OSError):
            worker.process.join(5)
            status, value = "died", worker.process.exitcode
            if limits.spent(value):
                status, value = "timeout", None
            self._kill(worker)
        else:
            self.idle.append(worker)
            if len(self.idle) > SPARE:
                self._kill(self.idle.pop(0))
        return worker.index, Outcome(status, value, time.monotonic() - worker.began)

    def _start(self, file: str | None) -> _Worker:
        importlib.import_module(self.needs)  # once for all who are forked, and on nobody's time
        context = _context()
        ours, theirs = context.Pipe()
        process = context.Process(target=_serve, args=(theirs, ours, self.needs), daemon=True)  # type: ignore[attr-defined]
        sys.stdout.flush()
        sys.stderr.flush()
        process.start()
        theirs.close()
        return _Worker(process, ours, file)

    @staticmethod
    def _kill(worker: _Worker) -> None:
        worker.process.kill()
        worker.process.join()
        worker.pipe.close()


def _context() -> BaseContext:
    """Fork where that is safe and cheap: the worker then has the chapters already."""
    import multiprocessing

    return multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")


def _serve(pipe: Connection, parents_end: Connection, needs: str) -> None:
    """A worker's life: answer requests until told to stop, or until the parent is gone."""
    parents_end.close()  # ours by fork: while it is open, we never learn that the parent is gone
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    with contextlib.suppress(OSError, ValueError):
        os.dup2(2, 1)  # what a user's file prints must not end up inside our --json
    importlib.import_module(needs)  # where workers are not forked
    gc.set_threshold(LOOSE)
    while True:
        try:
            request = pipe.recv()
        except (EOFError, OSError):
            return
        if request is None:
            return
        seconds, kind, *arguments = request
        limits.allow(seconds)
        process = os.getpid()
        try:
            answer = _ANSWERS[kind](*arguments)
        except BaseException as error:
            import traceback

            traceback.print_exc(limit=-6)
            answer = ("failed", f"{type(error).__name__}: {error}")
        if os.getpid() != process:  # a user's file has forked: the copy answers for nobody
            os._exit(0)
        pipe.send(answer)


def _load(path: str) -> tuple[str, Any]:
    from genmath import book

    try:
        return "done", [(outline(d), judgements(d)) for d in _chapter_of(path).derivations]
    except book.ChapterError as error:
        return "refused", import_trouble(error)


_files: dict[str, book.Chapter] = {}  # a worker's chapters that came from users' files


def _chapter_of(path: str) -> book.Chapter:
    from genmath import book

    if path not in _files:
        _files[path] = book.load_file(path)
    return _files[path]


def _check_one(
    source: str, is_file: bool, name: str, mutants: bool, kernel: bool, timeout: float
) -> tuple[str, Any]:
    from genmath import book
    from genmath.proof.report import REPORT_SCHEMA, check_derivation

    chapter = _chapter_of(source) if is_file else book.chapter(source)
    derivation = next(d for d in chapter.derivations if d.name == name)
    report = check_derivation(derivation, mutants, timeout, not is_file)
    return "done", (REPORT_SCHEMA, rechecked(report, derivation) if kernel else report)


def _task(file: File, seconds: float) -> tuple[str, Any]:
    from genmath.cli import answers, tasks

    try:
        return "done", answers.load_task(file, seconds)
    except tasks.TaskError as error:
        return "refused", str(error)


def _judge(file: File, task: tasks.Task, seconds: float) -> tuple[str, Any]:
    from genmath.cli import answers

    return "done", answers.judge(file, task, seconds)


def _claims(file: File, kernel: bool, seconds: float) -> tuple[str, Any]:
    from genmath.cli import answers

    try:
        return "done", answers.check_claims(file, kernel, seconds)
    except ValueError as error:
        return "refused", str(error)


def _write(*share: Any) -> tuple[str, Any]:
    from genmath.cli import shares

    try:
        return "done", shares.write(*share)
    except OSError as error:
        return "refused", error.strerror or str(error)


def _verify(*share: Any) -> tuple[str, Any]:
    from genmath.cli import shares

    return "done", shares.verify(*share)


_ANSWERS: dict[str, Callable[..., tuple[str, Any]]] = {
    "load": _load,
    "check": _check_one,
    "task": _task,
    "judge": _judge,
    "claims": _claims,
    "write": _write,
    "verify": _verify,
}


def outline(derivation: Derivation) -> Report:
    """What a derivation claims: the keys of its report that need no checking."""
    from genmath.proof import latex, text

    steps = [
        {
            "relation": step.relation,
            "lhs": latex(step.lhs),
            "rhs": "..." if step.missing else latex(step.rhs),
            "lhs_text": text(step.lhs),
            "rhs_text": "..." if step.missing else text(step.rhs),
            "by": step.by,
            "line": step.line,
            "case": dict(step.case),
        }
        for step in derivation.steps
    ]
    keys = ("name", "topic", "title", "file", "line")
    return {**{key: getattr(derivation, key) for key in keys}, "steps": steps}
