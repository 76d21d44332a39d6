"""`genmath train`, `sample`, `evaluate`, `compare`: recipes at the command line."""

from __future__ import annotations

import contextlib
import json
import shlex
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from genmath.cli import console, telling

if TYPE_CHECKING:
    from genmath.train import Data, Fitted, Recipe, Run

SHOWN = {"points": 1000, "clips": 8}  # samples of a picture; of other kinds 64
COUNTS = "2,5,10,20,50"  # steps to compare at

OUT = Annotated[Path | None, typer.Option("--out", metavar="FILE", show_default=False)]
RUN = Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a run: runs/ddpm-001.")]


def train(
    what: Annotated[
        str, typer.Argument(metavar="NAME|FILE.py|list", help="A recipe, or list to see them.")
    ],
    data: Annotated[
        str | None,
        typer.Option(
            "--data",
            metavar="DATA",
            help="Other data than the recipe's: digits, moons, shapes:32, folder:PATH, hf:NAME, …",
        ),
    ] = None,
    steps: Annotated[int | None, typer.Option("--steps", metavar="N", help="Updates.")] = None,
    batch: Annotated[
        int | None, typer.Option("--batch", metavar="N", help="Samples an update.")
    ] = None,
    rate: Annotated[
        float | None, typer.Option("--rate", metavar="R", help="The largest rate of Adam.")
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", metavar="N")] = None,
    change: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Any other setting of the recipe."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="DIR", help="The folder of the run.", show_default="runs/NAME-001"
        ),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Go on with the run in --out, or the last of this name."),
    ] = False,
    save_every: Annotated[
        int,
        typer.Option(
            "--save-every",
            metavar="N",
            min=0,
            help="Steps from one save to the next.",
            show_default="ten saves",
        ),
    ] = 0,
    precision: Annotated[
        str | None, typer.Option("--precision", metavar="no|bf16|fp16", show_default="no")
    ] = None,
    compiled: Annotated[bool, typer.Option("--compile", help="Use torch.compile.")] = False,
    workers: Annotated[
        int, typer.Option("--workers", metavar="N", min=0, help="Processes that prepare batches.")
    ] = 0,
) -> None:
    """Train a generative model by a recipe: weights, curve and samples in a folder.

    \b
    A recipe is one short file: network, loss, sampler. Ctrl-C saves and stops;
    --resume goes on, to the same weights as without the stop. A file you name is
    a Python program with one subclass of genmath.train.Recipe, and runs as you.

    \b
    Examples:
      genmath train list                            the recipes, and what they show
      genmath train ddpm                            in minutes, on a laptop
      genmath train ddpm --data moons --steps 500 --set width=64
      genmath train ddpm --data folder:photos,side=32 --workers 2
      genmath train ddpm --resume                   go on with the last run of it
      genmath train mine.py                         a recipe of your own
      accelerate launch -m genmath.cli train ddpm   on all GPUs

    \b
    Exit code:
      0    trained to the end
      1    the loss was not finite, or a file could not be written
      2    an argument that cannot be read or does not fit
      130  stopped by Ctrl-C; --resume goes on
    """
    with console.complaints(), telling.plainly(what):
        if what == "list":
            _list()
            return
        from genmath.train import fit

        telling.look_for_libraries()
        recipe = _recipe(what)
        changes = _changes(steps, batch, rate, seed, change or [])
        recipe.changed(changes)  # or it is refused before there is a folder
        with _folder(recipe, out, resume) as run:
            if resume:
                before = run.settings
                if before["recipe"] != _name(recipe):
                    said = f"{run.folder} is a run of {before['recipe']}, not of {_name(recipe)}"
                    raise console.Unreadable(said)
                recipe = recipe.changed(before["settings"])
                data, precision = data or before["data"], precision or before["precision"]
                if console.is_file(what):
                    _same_recipe(run, Path(what))
            recipe = recipe.changed(changes)
            with telling.shown(recipe) as show:
                of = f"{_name(recipe)} on {data or recipe.data}, {recipe.steps} steps"
                show.say(f"{of}: {run.folder}")
                fitted = fit(
                    recipe, data, run=run, resume=resume, save_every=save_every,
                    precision=precision or "no", compiled=compiled, workers=workers,
                    progress=show.step, saved=_pictures(what),
                )  # fmt: skip
        if telling.main():
            typer.echo(f"trained; the last loss is {fitted.losses[-1]:.4g}. Next:")
            typer.echo("\n".join(f"  {line}" for line in _commands(run, what)[2:]))


def sample(
    context: typer.Context,
    run: RUN,
    number: Annotated[int, typer.Option("-n", metavar="N", min=1, help="How many.")] = 64,
    seed: Annotated[int, typer.Option("--seed", metavar="N", min=0)] = 0,
    out: Annotated[
        Path,
        typer.Option("--out", metavar="FILE", help="A .png; for clips also a .gif or .apng."),
    ] = Path("samples.png"),
) -> None:
    """Draw samples of a run, as one picture.

    \b
    What else can be chosen depends on the recipe: steps, sampler, scale, text, label.
    An option it has not is answered by those it has.

    \b
    Examples:
      genmath sample runs/ddpm-001 -n 16 --steps 20 --seed 1 --out grid.png
      genmath sample runs/guidance-001 --label 3 --scale 3 --sampler dpm
      genmath sample runs/text-to-image-001 --text "a large red circle in the middle"
      genmath sample runs/text-to-video-001 -n 4 --out clips.gif
    """
    with console.complaints(), telling.plainly():
        import genmath.train
        from genmath.train import pictures
        from genmath.train.options import chosen

        of = genmath.train.Run(run)
        recipe, event = of.recipe(), of.event()
        options = chosen(recipe, _pairs(context.args))
        model = of.model()
        generator = of.generator(model, "sample", seed)
        samples = recipe.sample(model, event, number, generator, **options)
        pictures.save(samples, event, out, of.data().test.x if event.kind == "points" else None)
        if not samples.dtype.is_floating_point and samples.ndim == 2:
            typer.echo("\n".join(pictures.said(samples, event)))
        typer.echo(f"{len(samples)} samples: {out}")


def evaluate(
    run: RUN, seed: Annotated[int, typer.Option("--seed", metavar="N", min=0)] = 0
) -> None:
    """Measure a run on data that were held out.

    \b
    Beside a distance stands that of training data: no model should be nearer.

    \b
    Example:
      genmath evaluate runs/ddpm-001
    """
    with console.complaints(), telling.plainly():
        import genmath.train

        of = genmath.train.Run(run)
        model = of.model()
        figures = of.recipe().evaluate(model, of.data(), of.generator(model, "evaluate", seed))
        of.write("evaluation.json", {"seed": seed, "figures": figures})
        width = max(map(len, figures))
        for name, value in figures.items():
            typer.echo(f"{name:{width}}  {value:.4g}")


def compare(
    runs: Annotated[
        list[Path], typer.Argument(metavar="RUN RUN...", help="Folders of runs on the same data.")
    ],
    steps: Annotated[
        str, typer.Option("--steps", metavar="N,N", help="For recipes that sample in steps.")
    ] = COUNTS,
    seed: Annotated[int, typer.Option("--seed", metavar="N", min=0)] = 0,
    out: Annotated[Path, typer.Option("--out", metavar="FILE.png")] = Path("compare.png"),
) -> None:
    """Compare runs: how good their samples are, against calls of the network and time.

    \b
    Examples:
      genmath compare runs/ddpm-001 runs/flow-matching-001
      genmath compare runs/ddpm-001 runs/consistency-001 --steps 1,2,4,8 --out few.png
    """
    with console.complaints(), telling.plainly():
        import genmath.train
        from genmath.train import measures, pictures
        from genmath.train.options import options

        counts = _counts(steps)
        taken = [genmath.train.Run(run) for run in runs]
        data = taken[0].data()
        for run in taken[1:]:
            if run.settings["data"] != data.name:
                theirs = f"{run.folder} is of {run.settings['data']}, {runs[0]} of {data.name}"
                raise console.Unreadable(f"runs of the same data can be compared, but {theirs}")
        of = measures.measure(data)
        name, least = of(measures.some(data).x)
        wide = max(3, *(len(str(run)) for run in runs))
        typer.echo(f"{'run':{wide}}  steps  calls  seconds  {name}")
        curves: dict[str, list[tuple[float, float, float]]] = {}
        for run in taken:
            recipe, model = run.recipe(), run.model()
            numbers = counts if "steps" in options(recipe) else [0]
            found = measures.costs(_draws(run, recipe, model, data, seed), model, numbers, of)
            for cost in found:
                typer.echo(
                    f"{run.folder!s:{wide}}  {cost.steps or '':>5}  {cost.calls:5}  "
                    f"{cost.seconds:7.2f}  {cost.value:.4g}"
                )
            curves[str(run.folder)] = [(c.calls, c.seconds, c.value) for c in found]
        typer.echo(f"{'training data':{wide}}  {'':5}  {'':5}  {'':7}  {least:.4g}")
        pictures.comparison(curves, name, least, out)
        typer.echo(f"drawn: {out}")


def add_to(app: typer.Typer) -> None:
    """The four commands."""
    app.command()(train)
    loose = {"ignore_unknown_options": True, "allow_extra_args": True}
    app.command(context_settings=loose)(sample)
    app.command()(evaluate)
    app.command()(compare)


# ---- what is asked for ---------------------------------------------------------------------------


def _list() -> None:
    from genmath.train import names, recipe
    from genmath.train.measured import measured

    rows = [(name, recipe(name)) for name in names()]
    wide = max(len(name) for name, _ in rows)
    head = f"{'recipe':{wide}}  {'data':9}  {'steps':>5}  {'time':>7}  what it shows"
    typer.echo(console.paint(head, "2"))
    for name, each in rows:
        found = measured(each)
        time = found.time if found else ""
        typer.echo(f"{name:{wide}}  {each.data:9}  {each.steps:5}  {time:>7}  {each.shows}")
    typer.echo(console.paint("time: of one core; ≤ where the machine had other work beside", "2"))


def _recipe(what: str) -> Recipe:
    from genmath.train import names, recipe
    from genmath.train.recipes import from_file

    if console.is_file(what):
        console.readable(what)
        return from_file(Path(what).resolve())
    if what not in names():
        hint = console.nearest(what, names())
        raise console.Unreadable(f"no recipe called {what!r}{hint} (genmath train list)")
    return recipe(what)


def _name(recipe: Recipe) -> str:
    from genmath.train.recipes import name_of

    return name_of(recipe)


def _changes(
    steps: int | None, batch: int | None, rate: float | None, seed: int | None, more: list[str]
) -> dict[str, Any]:
    plain = {"steps": steps, "batch": batch, "rate": rate, "seed": seed}
    changes: dict[str, Any] = {name: value for name, value in plain.items() if value is not None}
    for pair in more:
        name, is_, value = pair.partition("=")
        if not is_:
            raise console.Unreadable(f"--set {pair}: expected NAME=VALUE, as in --set width=64")
        changes[name.replace("-", "_")] = value
    return changes


@contextlib.contextmanager
def _folder(recipe: Recipe, out: Path | None, resume: bool) -> Iterator[Run]:
    """A new folder, or that of the run to go on with. One that stays empty is taken away."""
    from genmath.train import Run

    name = _name(recipe)
    folder = out or Path("runs") / name
    if out is None and resume:
        past = sorted(Path("runs").glob(f"{name}-[0-9]*"))
        if not past:
            raise console.Unreadable(f"no run of {name} under runs to resume; --out says which")
        folder = past[-1]
    elif out is None and telling.main():  # the others learn of it from this process
        folder = Run.new(name).folder
    try:
        yield Run(folder)
    finally:
        with contextlib.suppress(OSError):  # it is not empty, or there is none
            folder.rmdir()


def _same_recipe(run: Run, file: Path) -> None:
    from genmath.train.runs import OWN

    own = run.folder / OWN
    if own.is_file() and own.read_bytes() != file.read_bytes():
        raise console.Unreadable(f"{file} is not what {run.folder} was begun with ({own} is)")


def _pairs(words: list[str]) -> dict[str, str]:
    """--steps 20 --scale=3 --clip as a table; a name with nothing after it is "true"."""
    pairs: dict[str, str] = {}
    name = ""
    for word in words:
        if word.startswith("--"):
            name, is_, value = word[2:].partition("=")
            name = name.replace("-", "_")
            pairs[name] = value if is_ else "true"
            name = "" if is_ else name
        elif name:
            pairs[name], name = word, ""
        else:
            raise console.Unreadable(f"{word!r} is no option; expected --NAME VALUE")
    return pairs


def _counts(text: str) -> list[int]:
    counts = [int(part) if part.strip().isdigit() else 0 for part in text.split(",")]
    if min(counts) < 1:
        raise console.Unreadable(f"--steps {text}: expected numbers of steps, as in --steps 5,20")
    return counts


def _draws(run: Run, recipe: Recipe, model: Any, data: Data, seed: int) -> Callable[[int], Any]:
    """As many samples as a measure looks at, in a number of steps, or as the recipe does it."""
    from genmath.train.measures import count

    def draw(number: int) -> Any:
        generator = run.generator(model, "compare", seed)
        how = {"steps": number} if number else {}
        return recipe.sample(model, data.event, count(data), generator, **how)

    return draw


# ---- what stays in the folder --------------------------------------------------------------------


def _pictures(what: str) -> Any:
    """What is drawn at each save. A run can be read from its folder alone: a recipe that is not in
    the book goes there, too."""

    def draw(run: Run, fitted: Fitted) -> None:
        from genmath.train import pictures
        from genmath.train.runs import OWN

        if console.is_file(what):
            shutil.copyfile(what, run.folder / OWN)
        event, step = fitted.data.event, len(fitted.losses)
        pictures.curve(run.losses(), run.folder / "loss.png")
        generator = run.generator(fitted.model, "sample", 0)
        number = SHOWN.get(event.kind, 64)
        samples = fitted.recipe.sample(fitted.model, event, number, generator)
        held = fitted.data.test.x if event.kind == "points" else None
        pictures.save(samples, event, run.folder / f"samples-{step:06}.png", held)
        (run.folder / "commands.txt").write_text("\n".join(_commands(run, what)) + "\n", "utf-8")

    return draw


def _commands(run: Run, what: str) -> list[str]:
    """To train the same again, to go on, to draw samples, to measure."""
    from genmath.train.options import options

    settings = run.settings
    recipe, folder = run.recipe(), shlex.quote(str(run.folder))
    again = f"genmath train {shlex.quote(what)} --data {shlex.quote(settings['data'])}"
    for name, value in settings["settings"].items():
        again += f" --set {name}={shlex.quote(_typed(value))}"
    if settings["precision"] != "no":
        again += f" --precision {settings['precision']}"
    sampling = "".join(
        f" --{name} {shlex.quote(_typed(value))}"
        for name, value in options(recipe).items()
        if value not in (None, "")
    )
    number = SHOWN.get(run.event().kind, 64)
    return [
        again,
        f"genmath train {shlex.quote(what)} --out {folder} --resume",
        f"genmath sample {folder} -n {number}{sampling} --out samples.png",
        f"genmath evaluate {folder}",
    ]


def _typed(value: object) -> str:
    """A setting as one types it."""
    return json.dumps(value)[1:-1] if isinstance(value, (list, tuple)) else str(value)
