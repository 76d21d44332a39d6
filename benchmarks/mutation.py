"""Mutation testing of our own code: which guard or coefficient could go without a test noticing?

    python benchmarks/mutation.py genmath/gan.py genmath/cnf.py
    python benchmarks/mutation.py --sample 200 --seed 0 genmath/proof/symbolic

Neither mutmut nor cosmic-ray takes a guard away: they exchange operators and values, and start a
Python for a mutant, where importing torch and sympy costs more than the tests that tell. Here one
process has the libraries loaded and forks a child for a mutant; the child reads the changed text in
place of the file, in a temporary copy of the tree, and runs the tests that reach the changed lines:
those that enter the body of a guard first, then the file's own, the quickest first, to the first
failure. Hypothesis draws a few examples, the same each time; a survivor meets all tests of its
file's own test modules, with the examples that they ask for, before it counts.

Outcomes are kept (`--outcomes`) by the changed text, so a second run goes on where the
first ended: a survivor is run again when its tests have changed (`--fresh`: all are).
`mutation_argued.json` says of changes that no test can tell why that is so; tests/test_mutation.py
finds an entry whose change no longer exists.
"""

from __future__ import annotations

import argparse
import fnmatch
import hashlib
import importlib
import importlib.machinery
import inspect
import json
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import cache, partial
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import pytest
from _mutants import Mutant, mutants, named

ROOT = Path(__file__).resolve().parents[1]
ARGUED = Path(__file__).with_name("mutation_argued.json")
LIBRARIES = ("torch", "jaxtyping", "sympy", "mpmath", "hypothesis.strategies", "numpy", "coverage")
OPTIONAL = ("sklearn.datasets", "ot", "torchdiffeq", "scipy.stats")
EXAMPLES = 10  # of a hypothesis test, while looking for a killer
# Tests that run genmath in another process, or look at the tree and not at what the code does.
APART = (
    *("cli", "house", "ties", "readme", "examples*", "exercises*", "homework", "in_page", "teach"),
    *("book", "slips", "conventions", "figures", "mutation"),
)

Baseline = dict[str, Any]


@cache
def tests_of(file: str) -> list[str]:
    """The test modules of a file: its own first."""
    if file.startswith("genmath/proof/"):
        return sorted(str(f.relative_to(ROOT)) for f in ROOT.glob("tests/proof/test_*.py"))
    all_ = [f for f in sorted(ROOT.glob("tests/test_*.py"))
            if not any(fnmatch.fnmatch(f.stem[5:], apart) for apart in APART)]  # fmt: skip
    return [str(f.relative_to(ROOT)) for f in sorted(all_, key=lambda f: f.stem[5:] != own(file))]


def own(file: str) -> str:
    return Path(file).parent.name if file.startswith("genmath/nets/") else Path(file).stem


def own_tests(file: str) -> str:
    return f"tests/test_{own(file)}.py"


def digest(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:20]


# In a child


class Plugin:
    """Which tests run and in which order, how long each takes, and which fails."""

    def __init__(self, wanted: list[str] | None, examples: int, cov: Any = None) -> None:
        self.rank = None if wanted is None else {name: i for i, name in enumerate(wanted)}
        self.examples, self.cov = examples, cov
        self.seconds: dict[str, float] = {}
        self.failed: list[str] = []

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        from hypothesis import HealthCheck, Phase, settings

        if self.rank is not None:
            items[:] = [item for item in items if item.nodeid in self.rank]
            items.sort(key=lambda item: self.rank[item.nodeid])
        for item in items:
            test = getattr(item, "obj", None)
            test = getattr(test, "__func__", test)
            if hasattr(test, "hypothesis"):
                asked = getattr(test, "_hypothesis_internal_use_settings", settings())
                n = min(asked.max_examples, self.examples or asked.max_examples)
                test._hypothesis_internal_use_settings = settings(
                    asked, max_examples=n, derandomize=True, database=None,
                    suppress_health_check=list(HealthCheck),
                    phases=[Phase.explicit, Phase.generate],  # a failure is enough, small or not
                )  # fmt: skip

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Any:
        if self.cov is not None:
            self.cov.switch_context(item.nodeid)
        start = time.process_time()
        result = yield
        self.seconds[item.nodeid] = time.process_time() - start
        return result

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.failed.append(report.nodeid)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.failed.append(f"importing {report.nodeid}")


def reading(path: str, text: str) -> None:
    """From now on an import of the file at `path` reads `text`."""
    usual = importlib.machinery.SourceFileLoader.get_code

    def get_code(self: importlib.machinery.SourceFileLoader, name: str) -> CodeType | None:
        if self.path == path:
            return compile(text, path, "exec")
        return usual(self, name)

    importlib.machinery.SourceFileLoader.get_code = get_code  # type: ignore[method-assign]


def forked(seconds: float, out: Path, work: Callable[[], object]) -> int:
    """A child that does the work, with a limit on its CPU time, and writes its result to `out`."""
    out.unlink(missing_ok=True)
    sys.stdout.flush()
    if pid := os.fork():
        return pid
    try:
        os.setpgid(0, 0)
        resource.setrlimit(resource.RLIMIT_CPU, (int(seconds) + 1, resource.RLIM_INFINITY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        with open(os.devnull, "r+b", 0) as null:
            log = os.open(out.with_suffix(".log"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            for descriptor, to in ((0, null.fileno()), (1, log), (2, log)):
                os.dup2(to, descriptor)
        out.write_text(json.dumps(work()), encoding="utf-8")
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(0)


def run_tests(copy: Path, files: Iterable[str], plugin: Plugin, *options: str) -> int:
    os.chdir(copy)
    arguments = [
        "-q",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        str(copy),
        "--no-header",
        "--tb=no",
        "-m",
        "not slow",
        *options,
    ]
    return int(pytest.main([*arguments, *files], plugins=[plugin]))


def measure(copy: Path, file: str) -> Baseline:
    """What each test of a module costs, and which lines of the package it runs."""
    import coverage

    cov = coverage.Coverage(
        data_file=None, source=[str(copy / "genmath")], config_file=False, messages=False
    )
    plugin = Plugin(None, EXAMPLES, cov)
    cov.start()
    code = run_tests(copy, [file], plugin)
    cov.stop()
    data, lines = cov.get_data(), {}
    for path in data.measured_files():
        found = {n: c for n, c in data.contexts_by_lineno(path).items() if any(c)}
        lines[str(Path(path).relative_to(copy))] = found
    return {"code": code, "failed": plugin.failed, "seconds": plugin.seconds, "lines": lines}


def judge(copy: Path, mutant: Mutant, tests: list[str], examples: int) -> str:
    """The first test that fails, or nothing; a module is imported when its turn comes."""
    reading(str(copy / mutant.file), mutant.text)
    for file in modules(tests):
        plugin = Plugin(tests, examples)
        code = run_tests(copy, [file], plugin, "-x")
        if plugin.failed or code not in (0, 5):
            return plugin.failed[0] if plugin.failed else f"{file}: code {code}"
    return ""


def modules(tests: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(t.split("::")[0] for t in tests))


def exchange(mutant: Mutant) -> None:
    """Give the loaded function that holds the change its new code.

    What was computed while modules were imported stays as it was, so this may miss a killer, and
    never makes one up.
    """
    holder: Any = sys.modules[mutant.file.removesuffix(".py").replace("/", ".")]
    code = compile(mutant.text, mutant.file, "exec")
    for name in mutant.scope.split("."):
        holder = inspect.getattr_static(holder, name)
        code = next(c for c in code.co_consts if isinstance(c, CodeType) and c.co_name == name)
        holder = getattr(holder, "fget", None) or holder
        if hasattr(holder, "cache_clear"):
            holder.cache_clear()
        holder = inspect.unwrap(getattr(holder, "__func__", holder))
        if isinstance(holder, FunctionType):
            holder.__code__ = code.replace(co_filename=holder.__code__.co_filename)
            return
    raise LookupError(mutant.scope)


class Hot(Plugin):
    """A test module is imported once; each mutant is a child that exchanges one function."""

    def __init__(
        self, work: list[tuple[Mutant, list[str], float]], jobs: int, folder: Path
    ) -> None:
        super().__init__(None, EXAMPLES)
        self.work, self.jobs, self.folder = work, jobs, folder
        self.killers: dict[str, str] = {}

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        items = {item.nodeid: item for item in session.items}

        def run(mutant: Mutant, tests: list[str]) -> str:
            exchange(mutant)
            todo = [items[t] for t in tests if t in items]
            for item, after in zip(todo, [*todo[1:], None], strict=True):
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=after)
                if self.failed:
                    return self.failed[0]
            return ""

        def done(mutant: Mutant, by: str | None) -> None:
            self.killers[mutant.name] = by or ""  # None, out of time, is left to the slow way

        tasks = [(m, s, partial(run, m, tests)) for m, tests, s in self.work]
        in_children(tasks, done, self.jobs, self.folder)
        return True


def hot(copy: Path, file: str, work: Any, jobs: int, folder: Path) -> dict[str, str]:
    folder.mkdir(exist_ok=True)
    plugin = Hot(work, jobs, folder)
    run_tests(copy, [file], plugin)
    return plugin.killers


# The whole

Task = tuple[Any, float, Callable[[], object]]  # a key, seconds of CPU time, the work


def in_children(
    tasks: Iterable[Task], done: Callable[[Any, Any], None], jobs: int, folder: Path
) -> None:
    """Run each task in a child, some at a time; None is the result of one that did not end."""
    running: dict[int, tuple[Any, int, float]] = {}
    todo = list(reversed(list(tasks)))
    free = set(range(jobs))
    while todo or running:
        while todo and free:
            key, seconds, work = todo.pop()
            slot = free.pop()
            pid = forked(seconds, folder / f"{slot}.json", work)
            running[pid] = (key, slot, time.monotonic() + 20 * seconds + 60)
        pid, _ = os.waitpid(-1, os.WNOHANG)
        for p, (_, _, end) in running.items():
            if time.monotonic() > end:
                os.kill(p, signal.SIGKILL)
        if pid not in running:
            time.sleep(0.005)
            continue
        key, slot, _ = running.pop(pid)
        free.add(slot)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)  # what the tests left behind
        out = folder / f"{slot}.json"
        done(key, json.loads(out.read_text()) if out.exists() else None)


class Runner:
    def __init__(self, copy: Path, state: Path, jobs: int, budget: float, fresh: bool) -> None:
        self.to_the_end = False
        self.copy, self.state, self.jobs, self.budget = copy, state, jobs, budget
        self.state.parent.mkdir(exist_ok=True)
        known = {} if fresh or not self.state.exists() else json.loads(self.state.read_text())
        self.outcomes: dict[str, dict[str, Any]] = known
        self.baselines: dict[str, Baseline] = {}

    def run(self, tasks: Iterable[Task], done: Callable[[Any, Any], None], jobs: int = 0) -> None:
        in_children(tasks, done, jobs or self.jobs, self.copy.parent)

    def measure(self, files: list[str]) -> None:
        kept = ROOT / "build" / "mutation-baselines"
        kept.mkdir(exist_ok=True)
        package = digest(*(f.read_text() for f in sorted(self.copy.rglob("genmath/**/*.py"))))
        tasks: list[Task] = []
        for file in files:
            at = kept / f"{digest(package, file, (self.copy / file).read_text())}.json"
            if at.exists():
                self.baselines[file] = json.loads(at.read_text())
            else:
                tasks.append(((file, at), 1800.0, partial(measure, self.copy, file)))

        def done(key: tuple[str, Path], result: Baseline | None) -> None:
            file, at = key
            if result is None or result["failed"] or result["code"] not in (0, 5):
                print(*(log.read_text()[-2000:] for log in self.copy.parent.glob("*.log")))
                sys.exit(f"{file} fails before anything is changed: {result and result['failed']}")
            seconds = sum(result["seconds"].values())
            print(f"  {file}: {len(result['seconds'])} tests, {seconds:.0f} s", flush=True)
            at.write_text(json.dumps(result))
            self.baselines[file] = result

        self.run(tasks, done)

    def order(self, mutant: Mutant, files: list[str]) -> tuple[list[str], float]:
        """The tests that reach the change, the likeliest killers first, within the budget."""
        reach: dict[str, tuple[bool, bool, float]] = {}
        for file in files:
            base = self.baselines[file]
            lines: dict[str, list[str]] = base["lines"].get(mutant.file, {})
            inside = set(lines.get(str(mutant.body), ()))
            first, last = mutant.lines
            numbers = lines if mutant.scope == "module" else map(str, range(first, last + 1))
            for t in {t for n in numbers for t in lines.get(n, ())} - {""}:
                reach[t] = (t not in inside, file != own_tests(mutant.file), base["seconds"][t])
        tests, total = [], 0.0
        for t in sorted(reach, key=reach.__getitem__):
            if total + reach[t][2] <= self.budget:
                tests.append(t)
                total += reach[t][2]
        first_ones = sorted(modules(tests), key=lambda m: m != own_tests(mutant.file))
        return sorted(tests, key=lambda t: first_ones.index(t.split("::")[0])), total

    def kill(self, todo: list[Mutant], files: list[str]) -> None:
        """Find the killer of each mutant of a file: the quick way, then for what is left the slow
        one, in which everything is imported after the change."""
        texts = digest(*((self.copy / f).read_text() for f in files))
        left: dict[str, tuple[Mutant, list[str], float]] = {}
        for mutant in todo:
            known = self.outcomes.get(mutant.key)
            if known is None or not (known["by"] or known["tests"] == texts):
                left[mutant.name] = (mutant, *self.order(mutant, files))

        def settle(mutant: Mutant, by: str) -> None:
            self.outcomes[mutant.key] = {"name": mutant.name, "by": by, "tests": texts}
            new = self.state.with_suffix(".new")
            new.write_text(json.dumps(self.outcomes, indent=0, ensure_ascii=False))
            new.replace(self.state)
            del left[mutant.name]

        def quick(_: str, killers: dict[str, str] | None) -> None:
            for name, by in (killers or {}).items():
                if by:
                    settle(left[name][0], by)

        for file in modules(t for _, tests, _ in left.values() for t in tests):
            work = [(m, [t for t in tests if t.startswith(file)], 5 * s + 20)
                    for m, tests, s in left.values()]  # fmt: skip
            work = [w for w in work if w[1]]
            task = partial(hot, self.copy, file, work, self.jobs, self.copy.parent / "hot")
            self.run([(file, 1e6, task)], quick, 1)

        def slow(mutant: Mutant, by: str | None) -> None:
            settle(mutant, "its time limit" if by is None else by)

        mine = [
            t for f in files if f == own_tests(todo[0].file) for t in self.baselines[f]["seconds"]
        ]
        self.run(
            [(m, 600.0, partial(self.thorough, m, tests, mine)) for m, tests, _ in left.values()],
            slow,
        )

    def thorough(self, mutant: Mutant, tests: list[str], mine: list[str]) -> str:
        """The tests that reach the change; then, if asked for, with all their examples, and the
        rest of the module: what one test keeps for the next was not seen to reach anything."""
        by = judge(self.copy, mutant, tests, EXAMPLES)
        if by or not self.to_the_end:
            return by
        reached = [t for t in tests if t in mine]
        rest = [t for t in mine if t not in reached]
        return judge(self.copy, mutant, rest, EXAMPLES) or judge(self.copy, mutant, reached, 0)


def copied(to: Path) -> Path:
    left = shutil.ignore_patterns(
        ".git", ".venv*", "__pycache__", "build", "site", "node_modules", ".*_cache", ".hypothesis"
    )
    return Path(shutil.copytree(ROOT, to / "tree", ignore=left))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("paths", nargs="+", help="files or folders of genmath")
    parser.add_argument("--kinds", default=None, help="guard, coefficient; guards alone in proof/")
    parser.add_argument("--sample", type=int, help="so many changes of each path, drawn at random")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--budget", type=float, default=30, help="seconds of tests for a mutant")
    parser.add_argument("--outcomes", type=Path, default=ROOT / "build" / "mutation.json")
    parser.add_argument("--thorough", action="store_true", help="survivors meet all examples")
    parser.add_argument("--own", action="store_true", help="only the tests of the same name")
    parser.add_argument("--fresh", action="store_true")
    parser.add_argument("--list", action="store_true", help="the changes, without running any")
    options = parser.parse_args()

    made: dict[str, list[Mutant]] = {}
    for path in options.paths:
        at = ROOT / path
        group: list[Mutant] = []
        for file in sorted(at.rglob("*.py")) if at.is_dir() else [at]:
            name = file.relative_to(ROOT).as_posix()
            default = "guard" if name.startswith("genmath/proof/") else "guard,coefficient"
            kinds = tuple((options.kinds or default).split(","))
            group += mutants(file.read_text(encoding="utf-8"), name, kinds)
        if options.sample is not None and options.sample < len(group):
            group = random.Random(options.seed).sample(group, options.sample)
        for mutant in group:
            made.setdefault(mutant.file, []).append(mutant)
    argued: dict[str, str] = json.loads(ARGUED.read_text(encoding="utf-8"))
    reasons = {n for a in argued for n in named(a, [m.name for g in made.values() for m in g])}
    if options.list:
        print(*(m.name for group in made.values() for m in group), sep="\n")
        return

    for library in LIBRARIES:
        importlib.import_module(library)
    for library in OPTIONAL:
        with suppress(ImportError):
            importlib.import_module(library)
    sys.path[:] = [
        p for p in sys.path if Path(p or ".").resolve() not in (ROOT, ROOT / "benchmarks")
    ]
    total, left = Counter[str](), []
    with tempfile.TemporaryDirectory() as folder:
        copy = copied(Path(folder))
        sys.path.insert(0, str(copy))
        os.environ |= {"PYTHONPATH": str(copy), "OMP_NUM_THREADS": "1", "CI": "1"}
        os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # they would be loaded again
        runner = Runner(copy, options.outcomes, options.jobs, options.budget, options.fresh)
        runner.to_the_end = options.thorough
        concerned = {f: [own_tests(f)] if options.own else tests_of(f) for f in made}
        runner.measure(sorted({t for tests in concerned.values() for t in tests}))
        for file, group in made.items():
            runner.kill(group, concerned[file])
            score = Counter[str]()
            for mutant in group:
                by = runner.outcomes[mutant.key]["by"]
                kind = "killed" if by else "argued" if mutant.name in reasons else "survived"
                score[kind] += 1
                if kind == "survived":
                    left.append(f"{file}:{mutant.line}: {mutant.name.split(': ', 1)[1]}")
            total += score
            print(
                f"{file}: {len(group)} made, " + ", ".join(f"{n} {k}" for k, n in score.items()),
                flush=True,
            )
    print(f"\n{total['killed']} killed of {total.total()}; {total['argued']} argued; left:")
    print(*left, sep="\n")


if __name__ == "__main__":
    main()
