"""The one loop, on Accelerate: a CPU, a GPU, or many, as that was configured or launched."""

from __future__ import annotations

import contextlib
import copy
import json
import math
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from torch.utils.data import DataLoader

import genmath
from genmath._base.checks import describe, refuse
from genmath._base.torch import Tensor, nn, torch
from genmath.train import checkpoints, tensors
from genmath.train.average import Average
from genmath.train.data import Batch, Data, load
from genmath.train.order import Order, seed_of, seeded
from genmath.train.processes import (
    accelerated,
    anywhere,
    as_it_was,
    asked_to_stop,
    from_main,
    leave_signals,
    on_main,
    seed,
)
from genmath.train.recipe import Loss, Recipe
from genmath.train.runs import LOSSES, SETTINGS, Row, Run, read_losses, write_losses

if TYPE_CHECKING:
    from accelerate import Accelerator

MADE_WITH = "made_with"  # in the settings, for a reader: what may be another at a resumption
LOOK = 10  # steps between two looks at the loss, which make a GPU wait


class Diverged(ArithmeticError):
    """The loss was infinite or not a number at a step."""


class Stopped(Exception):
    """Asked to stop, by Ctrl-C or SIGTERM; what was reached is saved."""


@dataclass(frozen=True)
class Progress:
    """How far a training is: what it shows is the business of whoever asked for it."""

    step: int
    steps: int
    trains: str
    loss: float
    rate: float


@dataclass(frozen=True)
class Fitted:
    """The model with averaged weights, in eval(), and the loss at each step."""

    recipe: Recipe
    data: Data
    model: nn.Module
    losses: list[float]


class _Objective(nn.Module):
    """A loss as a forward pass, which is where Accelerate hooks in: precision, other processes."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, loss: Loss, batch: Batch, generator: torch.Generator) -> Tensor:
        value = loss(self.model, batch, generator)
        if not isinstance(value, Tensor) or value.shape:
            refuse("loss", describe(value), "one number, the mean over the batch")
        return value


def fit(
    recipe: Recipe,
    data: Data | str | None = None,
    *,
    run: Run | None = None,
    resume: bool = False,
    save_every: int = 0,
    precision: str = "no",
    compiled: bool | str = False,
    workers: int = 0,
    progress: Callable[[Progress], None] | None = None,
    saved: Callable[[Run, Fitted], None] | None = None,
) -> Fitted:
    """Train a recipe, on its own data or others.

    A run is reproducible from its settings: on one machine the same weights to the bit, also when
    it was killed and resumed; with another number of processes the same to rounding. (On a GPU that
    holds as far as torch's operations are deterministic there.) A checkpoint is safetensors, JSON
    and CSV: to read one from others runs nothing of theirs.

    Options: in the folder of ``run`` checkpoints, weights and losses are kept, every ``save_every``
        steps (0: ten times) and at the end; with ``resume`` training goes on from the last. Of
        several processes the main one's ``run`` counts. ``precision`` is "no", "bf16" or "fp16";
        ``compiled`` is True, or the name of a backend of torch.compile; ``workers`` are processes
        that prepare batches. ``progress`` is called every few steps, ``saved`` after each save, on
        the main process.
    Errors: ValueError for settings that do not fit the run that is resumed, for a recipe that does
        not fit the data, for a checkpoint that is not whole; `Diverged` where the loss is not
        finite; `Stopped` by Ctrl-C or SIGTERM, where there is a ``run``; OSError where nothing can
        be written. The last checkpoint is kept each time.
    """
    with accelerated(precision) as accelerator, as_it_was(accelerator.device):
        data = load(data or recipe.data, recipe.seed) if not isinstance(data, Data) else data
        _fits(recipe, data)
        micro = recipe.micro or recipe.batch
        _shared_out(recipe.batch, micro, accelerator.num_processes)
        [run] = from_main(accelerator, [run])
        seed(accelerator.device, seed_of(recipe.seed, "global"))
        training = _Training(accelerator, recipe, data, run, compiled)
        first = 0 if run is None else _open(run, data, precision, resume, training)
        order = Order(
            data.size, recipe.batch, micro, recipe.seed, first,
            accelerator.process_index, accelerator.num_processes,
        )  # fmt: skip
        every = save_every or max(1, math.ceil(recipe.steps / 10))
        batches = _prepared(data, order, workers, accelerator.device)
        with asked_to_stop(accelerator, run is not None) as asked:
            for step in range(first, recipe.steps):
                training.step(step, batches)
                done = step + 1
                saves = done % every == 0 or done == recipe.steps
                if not (saves or done % LOOK == 0 or (asked and accelerator.num_processes == 1)):
                    continue
                training.look()
                if progress is not None and accelerator.is_main_process:
                    progress(training.progress(done))
                stop = anywhere(accelerator, bool(asked))
                if run is not None and (saves or stop):
                    training.save(run, done)
                    if saved is not None:
                        on_main(accelerator, saved, run, training.fitted())
                if stop and done < recipe.steps:
                    raise Stopped(
                        f"stopped after step {done} of {recipe.steps}{training.kept()}; "
                        "with resume=True it goes on from there"
                    )
        return training.fitted()


class _Training:
    """Model, average and optimizers, and what a step does with them."""

    def __init__(
        self,
        accelerator: Accelerator,
        recipe: Recipe,
        data: Data,
        run: Run | None,
        compiled: bool | str,
    ) -> None:
        self.accelerator, self.recipe, self.data, self.run = accelerator, recipe, data, run
        model = recipe.build(data.event, seeded("cpu", recipe.seed, "weights"))
        self.model = model.to(accelerator.device).train()
        self.average = Average(self.model, recipe.average) if recipe.average else None
        self.weights = list(self.model.parameters())
        self.objective = accelerator.prepare(_Objective(self.model))
        self.players: dict[str, tuple[list[nn.Parameter], torch.optim.Adam]] = {}
        for name in dict.fromkeys(recipe.turn(step).trains for step in range(recipe.steps)):
            part = _part(self.model, name)
            if compiled:
                part.compile(backend="inductor" if compiled is True else compiled)
            weights = list(part.parameters())
            optimizer = torch.optim.Adam(weights, recipe.rate, recipe.betas, fused=True)
            self.players[name] = weights, optimizer
        self.prepares = type(recipe).before is not Recipe.before
        self.draws = torch.Generator(accelerator.device)
        self.losses: list[Row] = []
        self.unread: list[tuple[int, str, Tensor, float]] = []

    def step(self, step: int, batches: Iterator[Batch]) -> None:
        """One update: every micro-batch of this process, then the weights."""
        recipe, accelerator, scaler = self.recipe, self.accelerator, self.accelerator.scaler
        device, processes = accelerator.device, accelerator.num_processes
        turn = recipe.turn(step)
        weights, optimizer = self.players[turn.trains]
        if self.prepares:
            recipe.before(self.model, step, self.data, self._seeded("before", step))
        start, length = recipe.stage(step)
        if step == start and self.average is not None:
            self.average.n_averaged.zero_()
        rate = recipe.rate * _shape((step - start + 0.5) / length)
        for group in optimizer.param_groups:
            group["lr"] = rate
        for weight in self.weights:
            weight.grad = None
        parts = recipe.batch // (recipe.micro or recipe.batch)
        losses = []
        for number in range(accelerator.process_index, parts, processes):
            seed(device, seed_of(recipe.seed, "global", step, number))  # of dropout, say
            last = number + processes >= parts
            waits = contextlib.nullcontext() if last else accelerator.no_sync(self.objective)
            with waits:
                draws = self._seeded("step", step, number)
                loss = self.objective(turn.loss, next(batches).to(device), draws)
                share = loss if parts == processes else loss / (parts // processes)
                (share if scaler is None else scaler.scale(share)).backward()
            losses.append(loss.detach())
        if scaler is not None:
            scaler.unscale_(optimizer)
        if recipe.clip:
            nn.utils.clip_grad_norm_(weights, recipe.clip)
        if scaler is None:
            optimizer.step()
        else:  # which leaves a step out whose gradients are too large for half precision
            scaler.step(optimizer)
            scaler.update()
        recipe.after(self.model, step)
        if self.average is not None:
            self.average.follow()
        mean = losses[0] if len(losses) == 1 else torch.stack(losses).mean()
        self.unread.append((step, turn.trains, mean, rate))

    def _seeded(self, *words: object) -> torch.Generator:
        return self.draws.manual_seed(seed_of(self.recipe.seed, *words))

    def look(self) -> None:
        """Read the losses since the last look.

        Errors: `Diverged`.
        """
        values = torch.stack([loss for _, _, loss, _ in self.unread])
        values = self.accelerator.reduce(values, "mean").tolist()
        for (step, trains, _, rate), value in zip(self.unread, values, strict=True):
            if not math.isfinite(value):
                self._diverged(f"the loss is {value} at step {step}")
            self.losses.append((step, trains, value, rate))
        self.unread.clear()

    def progress(self, done: int) -> Progress:
        _, trains, loss, rate = self.losses[-1]
        return Progress(done, self.recipe.steps, trains, loss, rate)

    def fitted(self) -> Fitted:
        """As it is now; training goes on undisturbed."""
        model = self._averaged()
        if self.average is None:
            model = copy.deepcopy(model).eval()
        return Fitted(self.recipe, self.data, model, [loss for _, _, loss, _ in self.losses])

    def save(self, run: Run, step: int) -> None:
        """A checkpoint; then the weights and losses that a reader of the folder wants.

        Errors: `Diverged` for weights that are not finite; OSError.
        """
        weights = [*self.weights, *self._averaged().parameters()]
        if not torch.stack([weight.isfinite().all() for weight in weights]).all():
            self._diverged(f"weights are not finite after step {step - 1}")
        try:
            on_main(self.accelerator, self._write, run, step)
        except Exception as error:
            raise OSError(f"step {step} could not be saved ({error}){self.kept()}") from error

    def _write(self, run: Run, step: int) -> None:
        scaler = self.accelerator.scaler
        facts = {"settings": run.settings, "scaler": scaler and scaler.state_dict()}
        with checkpoints.writing(run.checkpoints, step, facts) as folder:
            for name, part in self._parts().items():
                tensors.keep(part, folder / f"{name}.safetensors")
            for name, (_, optimizer) in self.players.items():
                tensors.keep_memory(optimizer, folder / _memory_of(name))
            write_losses(folder / LOSSES, self.losses)
        self.show(run)

    def kept(self) -> str:
        """The end of a sentence: what is left of a run that ends here."""
        if self.run is None:
            return ""
        last = self.run.last()
        return (
            f"; the last checkpoint is {last}" if last else f"; {self.run.folder} has no checkpoint"
        )

    def _diverged(self, how: str) -> NoReturn:
        raise Diverged(f"{how} of {self.recipe.steps}{self.kept()}")

    def show(self, run: Run) -> None:
        run.keep_weights(self._averaged())
        run.keep_losses(self.losses)

    def take_up(self, run: Run, checkpoint: Path) -> int:
        """Be where a checkpoint is; the number of steps before it."""
        facts = checkpoints.manifest(checkpoint)
        _same(run.settings, facts["settings"], f"with which {checkpoint} was written")
        for name, part in self._parts().items():
            tensors.take(part, checkpoint / f"{name}.safetensors")
        for name, (_, optimizer) in self.players.items():
            tensors.take_memory(optimizer, checkpoint / _memory_of(name))
        if self.accelerator.scaler is not None:
            self.accelerator.scaler.load_state_dict(facts["scaler"])
        self.losses = read_losses(checkpoint / LOSSES)
        on_main(self.accelerator, self.show, run)
        return int(facts["step"])

    def _averaged(self) -> nn.Module:
        return self.model if self.average is None else self.average.settle(self.model)

    def _parts(self) -> dict[str, nn.Module]:
        return {"model": self.model, **({"average": self.average} if self.average else {})}


def _memory_of(player: str) -> str:
    return f"adam{player and '-'}{player}.safetensors"


def _open(run: Run, data: Data, precision: str, resume: bool, training: _Training) -> int:
    """Note the settings of a new run, or take up an old one; the first step to do."""
    from genmath.train.recipes import name_of

    recipe = training.recipe
    settings = {
        "recipe": name_of(recipe),
        "data": data.name,
        "event": asdict(data.event),
        "precision": precision,
        "settings": recipe.settings(),
        MADE_WITH: {"genmath": genmath.__version__, "torch": str(torch.__version__)},
    }

    def begin() -> None:
        if run.last() is not None:
            refuse("run", str(run.folder), "a folder without a run; resume=True goes on with it")
        run.folder.mkdir(parents=True, exist_ok=True)
        run.write(SETTINGS, settings)

    if not resume:
        on_main(training.accelerator, begin)
        return 0
    _same(settings, run.settings, f"with which {run.folder} was begun")
    on_main(training.accelerator, checkpoints.tidy, run.checkpoints)
    last = run.last()
    return 0 if last is None else training.take_up(run, last)


def _same(settings: dict[str, Any], before: dict[str, Any], when: str) -> None:
    """Errors: ValueError that names the first setting that is another."""
    now, then = _flat(settings), _flat(before)
    for key in [*now, *(key for key in then if key not in now)]:
        if now.get(key) != then.get(key):
            refuse(key, repr(now.get(key)), f"{then.get(key)!r}, {when}")


def _fits(recipe: Recipe, data: Data) -> None:
    said, event = f"{data.name} ({data.event.kind})", data.event
    if event.kind not in recipe.takes:
        refuse("data", said, " or ".join(recipe.takes) + f", which {recipe.title} is for")
    has = {"": True, "labels": event.classes > 0, "text": bool(event.words)}
    if not has[recipe.needs]:
        refuse("data", said, f"data with {recipe.needs}, which {recipe.title} needs")


def _shared_out(batch: int, micro: int, processes: int) -> None:
    """Errors: ValueError where the micro-batches of a batch cannot be shared out evenly."""
    if batch // micro % processes:
        even = [m for m in range(1, batch + 1) if batch % m == 0 and batch // m % processes == 0]
        ways = f"{even[-1]}, or less, of a batch of {batch}" if even else "another batch as well"
        refuse("micro", micro, f"what shares a batch out among {processes} processes: {ways}")


def _part(model: nn.Module, name: str) -> nn.Module:
    """The part that a turn trains.

    Errors: ValueError for what is no part, or has no weights.
    """
    parts: dict[str, nn.Module] = {
        name: part for name, part in model.named_modules() if any(True for _ in part.parameters())
    }
    if name not in parts:
        known = [known or '"" (the model itself)' for known in parts if "." not in known]
        refuse("trains", repr(name), "a part of the model that has weights: " + ", ".join(known))
    return parts[name]


def _flat(settings: dict[str, Any]) -> dict[str, Any]:
    """Settings as they are read back, all at one level."""
    read = json.loads(json.dumps(settings))
    inner = read.pop("settings", {})
    return {**{key: value for key, value in read.items() if key != MADE_WITH}, **inner}


def _shape(share: float) -> float:
    """The rate at a share of a stage, of the largest: up in 5 %, then a cosine to 0."""
    return min(1.0, share / 0.05) * 0.5 * (1 + math.cos(math.pi * share))


def _prepared(data: Data, order: Order, workers: int, device: torch.device) -> Iterator[Batch]:
    if not workers:
        return map(data.train.__getitems__, order)  # type: ignore[attr-defined]
    loader = DataLoader(
        data.train,
        batch_sampler=order,
        num_workers=workers,
        collate_fn=_as_one,
        pin_memory=device.type == "cuda",
        worker_init_fn=leave_signals,
    )
    return iter(loader)


def _as_one(batch: Any) -> Any:
    """What `__getitems__` gives is a batch already."""
    return batch
