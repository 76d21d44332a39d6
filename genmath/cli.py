"""`genmath list`, `genmath show`, `genmath check`: the book at the command line.

Nothing is checked in the process you type into. Workers import the files you name and check one
derivation at a time; a worker that overruns its time is killed, and the derivation's verdict is
`timeout`. A file you name is a Python program: it runs as you, with all your rights.
"""

from __future__ import annotations

import contextlib
import difflib
import json
import os
import re
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from genmath import __version__

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.context import BaseContext

    from rich.live import Live

    from genmath import book
    from genmath.proof import Derivation
    from genmath.proof.tree import Relation

Report = dict[str, Any]  # one derivation of `--json`

FAILED, UNREADABLE, INTERRUPTED = 1, 2, 130
GRACE = 8.0  # seconds beyond its time limit before a worker is killed: it may be importing sympy
TICK = 0.1  # seconds between two looks at the clock while workers run
SPARE = 8  # idle workers kept; each has read at most one user's file
SIGN = {"=": "=", ">=": "≥", "<=": "≤"}

app = typer.Typer(
    name="genmath",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


# ---- the three commands --------------------------------------------------------------------------


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"genmath {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    _: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """The mathematics of generative models: derivations that are checked.

    \b
    Examples:
      genmath list                      what the book derives
      genmath show vae.elbo             one derivation, step by step
      genmath check vae                 check a chapter
      genmath check homework.py         check a derivation of your own
    """


@app.command("list")
def list_() -> None:
    """List the chapters and their derivations.

    \b
    Examples:
      genmath list
      genmath list | grep -i gaussian
    """
    from genmath import book

    with _complaints():
        chapters = [_shipped(topic) for topic in book.topics()]
    width = max((len(d.name) for c in chapters for d in c.derivations), default=0)
    for index, chapter in enumerate(chapters):
        if index:
            typer.echo()
        typer.echo(_paint(chapter.topic, "1") + "  " + chapter.title)
        for derivation in chapter.derivations:
            typer.echo(f"  {derivation.name:{width}}  {derivation.title}")


@app.command()
def show(
    name: Annotated[
        str, typer.Argument(help="A derivation, a topic, or a file: vae.elbo, vae, homework.py.")
    ],
    latex: Annotated[bool, typer.Option("--latex", help="Print LaTeX, ready to paste.")] = False,
) -> None:
    """Print a derivation: every step, and why it holds.

    \b
    Examples:
      genmath show vae.elbo
      genmath show vae.elbo --latex
      genmath show vae
    """
    from genmath import book
    from genmath.proof.typeset import typeset

    with _complaints():
        if _is_file(name):
            _readable(name)
            try:
                derivations = list(book.load_file(os.path.abspath(name)).derivations)
            except book.ChapterError as error:
                said = _import_trouble(error).replace(os.path.abspath(name), name)
                raise _Unreadable(said) from None
        else:
            derivations = [d for _, d in _find(name)]
    for index, derivation in enumerate(derivations):
        if index:
            typer.echo()
        typer.echo(typeset(derivation) if latex else _as_text(derivation))


@app.command()
def check(
    targets: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="TOPIC|NAME|FILE.py", help="What to check; the whole book if nothing is named."
        ),
    ] = None,
    mutants: Annotated[
        bool, typer.Option("--mutants", help="Also break every claim and see that it is refuted.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Write one JSON object instead.")] = False,
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs",
            "-j",
            min=1,
            metavar="N",
            help="Processes to check with.",
            show_default="as many as pay",
        ),
    ] = None,
    timeout: Annotated[
        float, typer.Option("--timeout", min=0.01, metavar="S", help="Seconds a step may take.")
    ] = 60.0,
    against: Annotated[
        str | None,
        typer.Option(
            "--against", metavar="TASK.py", help="Compare answers with a task; a line a file."
        ),
    ] = None,
) -> None:
    """Check derivations: the book's, or a file of your own.

    \b
    Every step is judged twice: A proves it for all densities and parameters,
    B evaluates both sides in random concrete worlds. A and B share no code.
    With --mutants the claim is also broken in every way that applies, and the
    checker must notice. A file you name is a Python program and runs as you.

    \b
    Examples:
      genmath check                     the whole book
      genmath check vae ddpm            two chapters
      genmath check vae.elbo --mutants  one derivation, and the checker's strength on it
      genmath check homework.py --json  your own file, for a program to read
      genmath check class/*.py --against task.py --json   a line a student

    \b
    Exit code:
      0  everything is as claimed
      1  a step was refuted, stayed open, is missing or timed out, or a mutant survived
      2  an argument that cannot be read, imported or holds no derivation
    """
    began = time.perf_counter()
    if against is not None:
        from genmath import classroom

        raise typer.Exit(classroom.check_against(against, targets or [], jobs, timeout, as_json))
    with _Pool() as pool:
        try:
            work = _gather(targets or [], pool, timeout)
            pool.size = jobs or _default_jobs(work, mutants)
            schema, reports = _check_all(work, pool, mutants, timeout, as_json)
        except KeyboardInterrupt:
            typer.echo("genmath: interrupted", err=True)
            raise typer.Exit(INTERRUPTED) from None
    if as_json:
        document = {"schema": schema, "version": __version__, "derivations": reports}
        typer.echo(json.dumps(_plain(document), ensure_ascii=False, indent=1, allow_nan=False))
    else:
        typer.echo(_summary(reports, time.perf_counter() - began))
    raise typer.Exit(0 if all(report["ok"] for report in reports) else FAILED)


WHOLE_BOOK = 40  # from so many derivations on, the table leaves the assumptions to --json


def main() -> None:
    """The entry point of the `genmath` command."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, ValueError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    app(prog_name="genmath")


# ---- finding what to check -----------------------------------------------------------------------


@dataclass
class _Work:
    """One derivation to check. `outline` says what it claims, for when its report never comes."""

    source: str  # a topic, or the path of a file
    is_file: bool
    name: str
    chapter: str  # the row of the table
    steps: int
    judgements: int
    outline: Callable[[], Report]


def _gather(targets: Sequence[str], pool: _Pool, timeout: float) -> list[_Work]:
    """The derivations the arguments name, each once, in order; says which cannot be read."""
    from genmath import book

    found: dict[tuple[str, str], _Work] = {}
    complaints = 0
    for target in targets or book.topics():
        try:
            works = _from_file(target, pool, timeout) if _is_file(target) else _from_book(target)
        except _Unreadable as error:
            typer.echo(f"genmath: {error}", err=True)
            complaints += 1
            continue
        for work in works:
            key = (work.source, work.name)
            found.setdefault(key, work)
    if complaints:
        raise typer.Exit(UNREADABLE)
    return list(found.values())


class _Unreadable(Exception):
    """An argument that cannot be read, imported or found; the text says which and why."""


@contextlib.contextmanager
def _complaints() -> Iterator[None]:
    try:
        yield
    except _Unreadable as error:
        typer.echo(f"genmath: {error}", err=True)
        raise typer.Exit(UNREADABLE) from None


def _is_file(target: str) -> bool:
    """Topics and names hold no slash and no `.py`; `check .` is told that it names a folder."""
    return target.endswith(".py") or "/" in target or os.sep in target or set(target) == {"."}


def _readable(path: str) -> None:
    """Say at once what is wrong with a path, before any worker starts."""
    try:
        if os.path.isdir(path):
            raise _Unreadable(f"{path} is a folder, not a file")
        Path(path).read_bytes().decode("utf-8")
    except FileNotFoundError:
        raise _Unreadable(f"no such file: {path}") from None
    except UnicodeDecodeError as error:
        byte = f"byte 0x{error.object[error.start]:02x} at offset {error.start}"
        raise _Unreadable(f"{path} is not valid UTF-8 ({byte})") from None
    except (OSError, ValueError) as error:
        raise _Unreadable(
            f"cannot read {path}: {getattr(error, 'strerror', None) or error}"
        ) from None


def _from_file(path: str, pool: _Pool, timeout: float) -> list[_Work]:
    _readable(path)
    absolute = os.path.abspath(path)  # whatever the file does to the working directory
    task = _Task(("load", absolute), timeout + GRACE, absolute)
    ((_, outcome),) = [done for done in pool.run([task]) if done]
    if outcome.status == "timeout":
        raise _Unreadable(f"{path}: importing it took longer than {timeout:g} s (--timeout)")
    if outcome.status == "died":
        raise _Unreadable(
            f"{path}: importing it ended the process ({_how_it_ended(outcome.value)})"
        )
    if outcome.status == "failed":
        raise _Unreadable(f"{path}: {outcome.value}")
    if outcome.status == "refused":
        raise _Unreadable(outcome.value.replace(absolute, path))
    row = Path(path).name
    return [
        _Work(absolute, True, o["name"], row, len(o["steps"]), judgements, partial(dict, o))
        for o, judgements in outcome.value
    ]


def _from_book(name: str) -> list[_Work]:
    return [
        _Work(topic, False, d.name, topic, len(d.steps), _judgements(d), partial(_outline, d))
        for topic, d in _find(name)
    ]


def _judgements(derivation: Derivation) -> int:
    """How many claims a derivation puts to the judges, each of which may take `--timeout`."""
    tight = sum(len(chain.tight) for chain in derivation.chains)
    return len(derivation.steps) + tight + 2 * len(derivation.slips)


def _find(name: str) -> list[tuple[str, Derivation]]:
    """The shipped derivations that a topic or a full name stands for."""
    from genmath import book

    topics = book.topics()
    topic, _, rest = name.partition(".")
    if topic not in topics:
        if os.path.exists(name):
            raise _Unreadable(f"{name} is no topic, no derivation and no file ending in .py")
        if os.path.isfile(f"{topic}.py"):
            raise _Unreadable(f"no topic called {topic!r}; a file is named in full: {topic}.py")
        known = [*topics, *(d.name for t in topics for d in _shipped(t).derivations)]
        hint = f"{_nearest(name, known)} (`genmath list` shows them all)"
        raise _Unreadable(f"no topic or derivation called {name!r}{hint}")
    derivations = _shipped(topic).derivations
    if not rest:
        return [(topic, d) for d in derivations]
    for derivation in derivations:
        if derivation.name == name:
            return [(topic, derivation)]
    known = [d.name for d in derivations]
    hint = f"{_nearest(name, known)} (`genmath show {topic}` shows the chapter's)"
    raise _Unreadable(f"no derivation called {name!r}{hint}")


def _shipped(topic: str) -> book.Chapter:
    from genmath import book

    try:
        return book.chapter(topic)
    except book.ChapterError as error:
        raise _Unreadable(_import_trouble(error)) from None


def _nearest(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name.lower(), list(known), n=1, cutoff=0.5)
    return f"; did you mean {near[0]!r}?" if near else ""


# ---- checking ------------------------------------------------------------------------------------


def _default_jobs(work: Sequence[_Work], mutants: bool) -> int:
    """One process for what takes a second: another one has to import sympy for itself."""
    if len(work) < 2 or (not mutants and sum(w.steps for w in work) < 24):
        return 1
    return min(_cores(), len(work))


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _check_all(
    work: Sequence[_Work], pool: _Pool, mutants: bool, timeout: float, as_json: bool
) -> tuple[int, list[Report]]:
    """The report schema's number, and the reports; prints a line a derivation as they come."""
    reports: list[Report | None] = [None] * len(work)
    schema, shown = 1, 0
    table = _Table(work) if _wants_progress() else None
    width = max([len("derivation"), *(len(w.name) for w in work)])

    def show_ready() -> None:
        nonlocal shown
        while shown < len(reports) and (report := reports[shown]) is not None:
            typer.echo(_line(report, width, mutants))
            if report["assumed"] and len(work) < WHOLE_BOOK:
                typer.echo(_paint(f"      assuming: {'; '.join(report['assumed'])}", "2"))
            shown += 1

    if not as_json and not table:
        typer.echo(_heading(width, mutants))
    tasks = [
        _Task(
            ("check", w.source, w.is_file, w.name, mutants, timeout),
            timeout * w.judgements + GRACE,
            w.source if w.is_file else None,
        )
        for w in work
    ]
    with table or contextlib.nullcontext():
        for done in pool.run(tasks):
            if done:
                index, outcome = done
                if outcome.status == "done":
                    schema, report = outcome.value
                else:
                    report = _unfinished(work[index].outline(), outcome, timeout)
                reports[index] = report
                if not as_json and not table:
                    show_ready()
            if table:
                table.update(reports, pool.running())
    if not as_json and table:
        typer.echo(_heading(width, mutants))
        show_ready()
    return schema, [report for report in reports if report is not None]


def _unfinished(outline: Report, outcome: _Outcome, timeout: float) -> Report:
    """The report of a derivation whose worker was killed, died or failed."""
    late = outcome.status == "timeout"
    if late:
        problem = f"not finished when its time was up ({timeout:g} s a step, --timeout)"
    elif outcome.status == "died":
        problem = f"the checking process ended ({_how_it_ended(outcome.value)})"
    else:
        problem = f"the checker failed: {outcome.value}"
    verdict = "timeout" if late else "open"
    unjudged = {"verdict": verdict, "reason": problem, "symbolic": False, "numeric": False}
    unjudged |= dict.fromkeys(("ms", "residual", "residual_text", "counterexample"))
    return {
        **outline,
        "label": "not proved",
        "hypotheses": [],
        "assumed": [],
        "uses": [],
        "slips": [],
        "steps": [{**step, **unjudged} for step in outline["steps"]],
        "ok": False,
        "problems": [problem],
        "seconds": outcome.seconds,
    }


def _how_it_ended(exitcode: int | None) -> str:
    if exitcode is not None and exitcode < 0:
        with contextlib.suppress(ValueError):
            return signal.Signals(-exitcode).name
    return f"exit code {exitcode}"


# ---- worker processes ----------------------------------------------------------------------------


@dataclass
class _Outcome:
    """How a request ended."""

    status: str  # "done", "refused" (the input's fault), "failed" (ours), "timeout" or "died"
    value: Any  # an answer, a message, a message, None, an exit code
    seconds: float


@dataclass(frozen=True)
class _Task:
    """A request for `_serve`, the seconds it may take, and the user's file it needs, if any.

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
class _Pool:
    """Processes that answer requests one at a time, and are killed when a request overruns.

    `concurrent.futures` and `multiprocessing.Pool` cannot kill one hung worker and go on.
    """

    size: int = 1
    idle: list[_Worker] = field(default_factory=list)
    busy: list[_Worker] = field(default_factory=list)

    def __enter__(self) -> _Pool:
        with contextlib.suppress(ValueError):  # not in the main thread: then no handler
            self._before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
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
        with contextlib.suppress(ValueError, AttributeError):
            signal.signal(signal.SIGTERM, self._before)

    def run(self, tasks: Sequence[_Task]) -> Iterator[tuple[int, _Outcome] | None]:
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
                yield worker.index, _Outcome("timeout", None, now - worker.began)
            yield None

    def running(self) -> list[int]:
        return [worker.index for worker in self.busy]

    def _assign(self, index: int, task: _Task) -> None:
        worker = next((w for w in self.idle if w.file == task.file), None)
        if worker:
            self.idle.remove(worker)
        else:
            worker = self._start(task.file)
        worker.index = index
        worker.began = time.monotonic()
        worker.deadline = worker.began + task.seconds
        self.busy.append(worker)
        with contextlib.suppress(OSError):  # it died while idle: `_collect` will see that
            worker.pipe.send(task.request)

    def _collect(self, worker: _Worker) -> tuple[int, _Outcome]:
        self.busy.remove(worker)
        try:
            status, value = worker.pipe.recv()
        except (EOFError, OSError):
            worker.process.join(5)
            status, value = "died", worker.process.exitcode
            self._kill(worker)
        else:
            self.idle.append(worker)
            if len(self.idle) > SPARE:
                self._kill(self.idle.pop(0))
        return worker.index, _Outcome(status, value, time.monotonic() - worker.began)

    def _start(self, file: str | None) -> _Worker:
        context = _context()
        ours, theirs = context.Pipe()
        process = context.Process(target=_serve, args=(theirs, ours), daemon=True)  # type: ignore[attr-defined]
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


def _serve(pipe: Connection, parents_end: Connection) -> None:
    """A worker's life: answer requests until told to stop, or until the parent is gone."""
    parents_end.close()  # ours by fork: while it is open, we never learn that the parent is gone
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    with contextlib.suppress(OSError, ValueError):
        os.dup2(2, 1)  # what a user's file prints must not end up inside our --json
    while True:
        try:
            request = pipe.recv()
        except (EOFError, OSError):
            return
        if request is None:
            return
        try:
            answer = _ANSWERS[request[0]](*request[1:])
        except BaseException as error:
            import traceback

            traceback.print_exc(limit=-6)
            answer = ("failed", f"{type(error).__name__}: {error}")
        pipe.send(answer)


def _load(path: str) -> tuple[str, Any]:
    from genmath import book

    try:
        return "done", [(_outline(d), _judgements(d)) for d in _chapter_of(path).derivations]
    except book.ChapterError as error:
        return "refused", _import_trouble(error)


_files: dict[str, book.Chapter] = {}  # a worker's chapters that came from users' files


def _chapter_of(path: str) -> book.Chapter:
    from genmath import book

    if path not in _files:
        _files[path] = book.load_file(path)
    return _files[path]


def _check_one(
    source: str, is_file: bool, name: str, mutants: bool, timeout: float
) -> tuple[str, Any]:
    from genmath import book
    from genmath.proof.check import REPORT_SCHEMA, check_derivation

    chapter = _chapter_of(source) if is_file else book.chapter(source)
    derivation = next(d for d in chapter.derivations if d.name == name)
    report = check_derivation(derivation, mutants=mutants, timeout=timeout)
    return "done", (REPORT_SCHEMA, {**report, "key": chapter.key})


def _judge(path: str, task: str, seconds: float) -> tuple[str, Any]:
    from genmath import homework

    try:
        return "done", homework.judge(path, task, seconds)
    except homework.TaskError as error:
        return "refused", str(error)


_ANSWERS: dict[str, Callable[..., tuple[str, Any]]] = {
    "load": _load,
    "check": _check_one,
    "judge": _judge,
}


def _outline(derivation: Derivation) -> Report:
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


def _import_trouble(error: book.ChapterError) -> str:
    """What is wrong with a file, in one line, and its own part of the traceback if it has one."""
    from genmath.proof import __all__ as notation

    unknown = re.search(r"NameError: name '(\w+)' is not defined", str(error))
    hint = " (write: from genmath.proof import *)" if unknown and unknown[1] in notation else ""
    return f"{error}{hint}\n{error.details}".rstrip()


# ---- printing ------------------------------------------------------------------------------------


def _as_text(derivation: Derivation) -> str:
    """A derivation as it would stand on a blackboard: a block a chain, a line a step."""
    from genmath.proof import text
    from genmath.proof.typeset import chain_title

    lines = [_paint(derivation.name, "1") + "  " + derivation.title]
    lines.append(_paint(f"{_near(derivation.file)}:{derivation.line}", "2"))
    if derivation.given:
        lines.append("given " + ", ".join(map(_given, derivation.given)))
    for chain in derivation.chains:
        lines += ["", *(f"  {words}:" for words in chain_title(chain))]
        rows = [(SIGN[s.relation], "..." if s.missing else text(s.rhs), s.by) for s in chain.steps]
        width = min(64, max(len(row[1]) for row in rows))
        lines.append(f"      {text(chain.start)}")
        for sign, right, by in rows:
            lines.append(f"    {sign} {right:{width}}   {_paint(by, '2')}".rstrip())
        if len(rows) > 1:
            last = chain.steps[-1]
            end = "..." if last.missing else text(last.rhs)
            lines += ["", f"  so  {text(chain.start)} {SIGN[chain.relation]} {end}"]
        for this, other in chain.tight:
            lines.append(f"      with equality when {text(this)} = {text(other)}")
    return "\n".join(lines)


def _given(hypothesis: Relation) -> str:
    from genmath.proof import text

    sign = SIGN.get(hypothesis.sign, hypothesis.sign)
    return f"{text(hypothesis.left)} {sign} {text(hypothesis.right)}"


LABEL_WIDTH = 22
MUTANT_KEYS = ("made", "killed", "equivalent", "weaker", "discarded", "survived")


def _heading(width: int, mutants: bool) -> str:
    cells = ["    ", f"{'derivation':{width}}", f"{'label':{LABEL_WIDTH}}", "steps", "   A", "   B"]
    cells += [f"{'mutants killed':16}"] * mutants + ["   time"]
    return _paint("  ".join(cells), "2")


def _line(report: Report, width: int, mutants: bool) -> str:
    steps = report["steps"]
    mark = _paint("ok  ", "32") if report["ok"] else _paint("FAIL", "31;1")
    cells = [mark, f"{report['name']:{width}}", f"{report['label'] or '':{LABEL_WIDTH}}"]
    cells += [f"{len(steps):5}"]
    cells += [f"{sum(bool(s[way]) for s in steps):4}" for way in ("symbolic", "numeric")]
    if mutants:
        made, killed, equivalent, weaker, _, survived = _mutants([report])
        counted = f"{killed}/{made - equivalent - weaker}"
        cells.append(f"{counted + (f', {survived} SURVIVED' if survived else ''):16}")
    cells.append(f"{report['seconds']:5.2f} s")
    return "\n".join(["  ".join(cells), *_failures(report)])


def _mutants(reports: Iterable[Report]) -> list[int]:
    counts = [step.get("mutants") or {} for report in reports for step in report["steps"]]
    return [sum(count.get(key, 0) for count in counts) for key in MUTANT_KEYS]


def _failures(report: Report) -> Iterator[str]:
    """What a reader needs to mend the derivation, indented under its line."""
    for number, step in enumerate(report["steps"], 1):
        survived = (step.get("mutants") or {}).get("survived", 0)
        if step["verdict"] == "proved" and not survived:
            continue
        if step["verdict"] != "proved" and report["ok"]:  # `verified on instances`, and meant
            continue
        verdict = step["verdict"] if step["verdict"] != "proved" else f"{survived} mutants survived"
        where = f"{_near(report['file'])}:{step['line']}"
        by = f', by "{step["by"]}"' if step["by"] else ""
        yield f"  {where}: step {number} of {len(report['steps'])}{by}: {_paint(verdict, '31;1')}"
        yield f"      {step.get('lhs_text') or step['lhs']}"
        yield f"    {SIGN[step['relation']]} {step.get('rhs_text') or step['rhs']}"
        residual = step.get("residual_text") or step["residual"]
        if residual:
            yield f"    residual: {residual}"
        if step.get("reason"):
            yield f"    because: {step['reason']}"
        if step["counterexample"]:
            yield from _counterexample(step["counterexample"])
    where = _near(report["file"]) + (f":{report['line']}" if "line" in report else "")
    for problem in report["problems"]:
        yield f"  {where}: {problem}"


def _counterexample(found: dict[str, Any]) -> Iterator[str]:
    """Both values in one line, then the world in which they were found."""
    nested = {key: item for key, item in found.items() if isinstance(item, (dict, list))}
    values = [f"{key} = {_number(found[key])}" for key in found.keys() - nested.keys() - {"reason"}]
    yield f"    counterexample: {', '.join(sorted(values, key=_left_right_rest))}"
    yield from (f"      {line}" for line in _tree(nested))


def _left_right_rest(value: str) -> tuple[bool, bool, str]:
    return not value.startswith("lhs"), not value.startswith("rhs"), value


def _tree(value: Any) -> Iterator[str]:
    """Nested dicts and lists as indented `key = value` lines; a row of numbers stays one line."""
    for key, item in value.items() if isinstance(value, dict) else enumerate(value):
        if isinstance(item, dict) or (
            isinstance(item, list) and any(isinstance(x, (dict, list)) for x in item)
        ):
            yield f"{key}:"
            yield from (f"  {line}" for line in _tree(item))
        elif isinstance(item, list):
            yield f"{key} = [{', '.join(map(_number, item))}]"
        else:
            yield f"{key} = {_number(item)}"


def _number(value: Any) -> str:
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def _summary(reports: Sequence[Report], seconds: float) -> str:
    steps = [step for report in reports for step in report["steps"]]
    counts = {
        v: sum(s["verdict"] == v for s in steps)
        for v in ("proved", "refuted", "open", "timeout", "missing")
    }
    said = ", ".join(f"{count} {verdict}" for verdict, count in counts.items() if count)
    made, killed, equivalent, weaker, discarded, survived = _mutants(reports)
    if made:
        said += f"; {made} mutants: {killed} killed, {equivalent} equivalent, {weaker} weaker, "
        said += f"{discarded} discarded, {survived} survived"
    failed = sum(not report["ok"] for report in reports)
    verdict = _paint(f"{failed} failed", "31;1") if failed else _paint("all as claimed", "32;1")
    what = f"{_count(len(reports), 'derivation')}, {_count(len(steps), 'step')}"
    return f"{what} ({said}): {verdict}, {seconds:.1f} s"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _near(file: str | os.PathLike[str]) -> str:
    """A path as one would type it from here."""
    with contextlib.suppress(ValueError):
        return str(Path(file).resolve().relative_to(Path.cwd()))
    return str(file)


def _paint(words: str, code: str) -> str:
    """Colour where a person looks on; plain text in a pipe."""
    if (
        not words
        or "NO_COLOR" in os.environ
        or not sys.stdout.isatty()
        or os.environ.get("TERM") == "dumb"
    ):
        return words
    return f"\x1b[{code}m{words}\x1b[0m"


def _plain(value: Any) -> Any:
    """JSON has no infinity and no tuple keys."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return str(value)
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)


# ---- progress ------------------------------------------------------------------------------------


def _wants_progress() -> bool:
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


class _Table:
    """The live table on stderr, a row a chapter. No thread redraws it: workers fork beside it."""

    def __init__(self, work: Sequence[_Work]) -> None:
        self.work = work
        self.began = time.perf_counter()
        self.live: Live | None = None

    def __enter__(self) -> _Table:
        from rich.console import Console
        from rich.live import Live

        self.live = Live(console=Console(stderr=True), auto_refresh=False, transient=True)
        self.live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.live:
            self.live.stop()

    def update(self, reports: Sequence[Report | None], running: Sequence[int]) -> None:
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        table = Table(box=None, pad_edge=False)
        for title in ("chapter", "", "done", "failed", "time", "now"):
            table.add_column(
                title,
                header_style="dim",
                justify="right" if title in ("done", "failed", "time") else "left",
            )
        for row in dict.fromkeys(w.chapter for w in self.work):
            mine = [i for i, w in enumerate(self.work) if w.chapter == row]
            done = [report for i in mine if (report := reports[i]) is not None]
            failed = sum(not report["ok"] for report in done)
            table.add_row(
                Text(row),
                ProgressBar(total=len(mine), completed=len(done), width=20),
                f"{len(done)}/{len(mine)}",
                Text(str(failed) if failed else "", style="red"),
                f"{sum(report['seconds'] for report in done):.1f} s",
                Text(", ".join(self.work[i].name for i in running if i in mine)),
            )
        table.add_row("", "", "", "", f"{time.perf_counter() - self.began:.1f} s", "")
        if self.live:
            self.live.update(table, refresh=True)


if __name__ == "__main__":
    main()
