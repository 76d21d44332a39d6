"""The one loop, on Accelerate: a CPU, a GPU, or many, as that was configured or launched."""

from __future__ import annotations

import contextlib
import json
import math
import signal
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch.utils.data import DataLoader

from genmath._base.checks import refuse
from genmath._base.torch import Tensor, nn, torch
from genmath.train import checkpoints
from genmath.train.average import averaged
from genmath.train.data import Batch, Data, load
from genmath.train.order import Order, seed_of, seeded
from genmath.train.recipe import Loss, Recipe
from genmath.train.runs import Run

if TYPE_CHECKING:
    from accelerate import Accelerator

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
        return loss(self.model, batch, generator)


def fit(
    recipe: Recipe,
    data: Data | str | None = None,
    *,
    run: Run | None = None,
    resume: bool = False,
    save_every: int = 0,
    precision: str = "no",
    compiled: bool = False,
    workers: int = 0,
    progress: Callable[[Progress], None] | None = None,
    saved: Callable[[Run, Fitted], None] | None = None,
) -> Fitted:
    """Train a recipe, on its own data or others.

    A run is reproducible from its settings: on one machine the same weights to the bit, also when
    it was stopped and resumed; with another number of processes the same to rounding.

    Options: in the folder of ``run`` checkpoints, weights and losses are kept, every ``save_every``
        steps (0: ten times) and at the end; with ``resume`` training goes on from the last.
        ``precision`` is "no", "bf16" or "fp16"; ``workers`` are processes that prepare batches.
        ``progress`` is called every few steps, ``saved`` after each save, on the main process.
    Errors: ValueError for settings that do not fit the run that is resumed, or a recipe that does
        not fit the data; `Diverged` where the loss is not finite; `Stopped`; OSError where nothing
        can be written. The last checkpoint is kept each time.
    """
    accelerator = _accelerator(precision)
    data = load(data or recipe.data, recipe.seed) if not isinstance(data, Data) else data
    micro = recipe.micro or recipe.batch
    parts, processes = recipe.batch // micro, accelerator.num_processes
    if parts % processes:
        refuse(
            "micro", micro, f"batch / micro a multiple of the {processes} processes, not {parts}"
        )
    with _as_it_was():
        torch.manual_seed(seed_of(recipe.seed, "global"))
        model = recipe.build(data.event, seeded("cpu", recipe.seed, "weights"))
        training = _Training(accelerator, recipe, data, model, parts // processes, compiled)
        first = 0
        if run is not None:
            first = _open(run, recipe, data, precision, resume, training)
        loader = DataLoader(
            data.train,
            batch_sampler=Order(
                data.size, recipe.batch, micro, recipe.seed, first,
                accelerator.process_index, processes,
            ),
            num_workers=workers,
            collate_fn=_as_one,
            pin_memory=accelerator.device.type == "cuda",
        )  # fmt: skip
        every = save_every or max(1, math.ceil(recipe.steps / 10))
        batches = iter(loader)
        with _asked_to_stop() as asked:
            for step in range(first, recipe.steps):
                training.step(step, batches)
                done = step + 1
                looks = done % LOOK == 0 or done == recipe.steps or done % every == 0
                if not looks:
                    continue
                training.look(done)
                if progress is not None and accelerator.is_main_process:
                    progress(training.progress(done))
                stop = bool(
                    accelerator.reduce(torch.tensor(int(bool(asked)), device=accelerator.device))
                )
                if run is not None and (done % every == 0 or done == recipe.steps or stop):
                    training.save(run, done)
                    if saved is not None and accelerator.is_main_process:
                        saved(run, training.fitted())
                if stop and done < recipe.steps:
                    raise Stopped(f"stopped after step {done} of {recipe.steps}")
        return training.fitted()


class _Training:
    """Model, average and optimizers, and what a step does with them."""

    def __init__(
        self,
        accelerator: Accelerator,
        recipe: Recipe,
        data: Data,
        model: nn.Module,
        parts: int,
        compiled: bool,
    ) -> None:
        self.accelerator, self.recipe, self.data, self.parts = accelerator, recipe, data, parts
        self.model = model.to(accelerator.device).train()
        self.average = averaged(self.model, recipe.average) if recipe.average else None
        if compiled:
            self.model.compile()
        self.objective = accelerator.prepare(_Objective(self.model))
        self.optimizers: dict[str, Any] = {}
        for name in dict.fromkeys(recipe.turn(step).trains for step in range(recipe.steps)):
            part = self.model.get_submodule(name)
            optimizer = torch.optim.Adam(
                part.parameters(), recipe.rate, betas=(0.9, 0.99), fused=True
            )
            self.optimizers[name] = accelerator.prepare(optimizer)
        if self.average is not None:
            accelerator.register_for_checkpointing(self.average)
        self.losses: list[tuple[int, str, float, float]] = []
        self.unread: list[tuple[int, str, Tensor, float]] = []

    def step(self, step: int, batches: Iterator[Batch]) -> None:
        """One update: every micro-batch of this process, then the weights."""
        recipe, device, process = (
            self.recipe,
            self.accelerator.device,
            self.accelerator.process_index,
        )
        turn, optimizer = recipe.turn(step), self.optimizers[recipe.turn(step).trains]
        recipe.before(self.model, step, self.data, seeded(device, recipe.seed, "before", step))
        rate = recipe.rate * _shape((step + 0.5) / recipe.steps)
        for group in optimizer.param_groups:
            group["lr"] = rate
        total = torch.zeros((), device=device)
        for optimizer_ in self.optimizers.values():
            optimizer_.zero_grad()
        for part in range(self.parts):
            number = process + part * self.accelerator.num_processes
            torch.manual_seed(seed_of(recipe.seed, "global", step, number))  # dropout, say
            last = part == self.parts - 1
            waits = contextlib.nullcontext() if last else self.accelerator.no_sync(self.objective)
            with waits:
                own = seeded(device, recipe.seed, "step", step, number)
                loss = self.objective(turn.loss, next(batches).to(device), own) / self.parts
                self.accelerator.backward(loss)
            total += loss.detach()
        if recipe.clip:
            part_of = self.model.get_submodule(turn.trains)
            self.accelerator.clip_grad_norm_(part_of.parameters(), recipe.clip)
        optimizer.step()
        recipe.after(self.model, step)
        if self.average is not None:
            self.average.update_parameters(self.model)
        self.unread.append((step, turn.trains, total, rate))

    def look(self, done: int) -> None:
        """Read the losses since the last look.

        Errors: `Diverged`.
        """
        values = torch.stack([loss for _, _, loss, _ in self.unread])
        values = self.accelerator.reduce(values, "mean").tolist()
        for (step, trains, _, rate), value in zip(self.unread, values, strict=True):
            if not math.isfinite(value):
                raise Diverged(f"the loss is {value} at step {step} of {self.recipe.steps}")
            self.losses.append((step, trains, value, rate))
        self.unread.clear()

    def progress(self, done: int) -> Progress:
        _, trains, loss, rate = self.losses[-1]
        return Progress(done, self.recipe.steps, trains, loss, rate)

    def fitted(self) -> Fitted:
        model = self.model if self.average is None else self.average.module
        return Fitted(self.recipe, self.data, model.eval(), [loss for _, _, loss, _ in self.losses])

    def save(self, run: Run, step: int) -> None:
        """A checkpoint; then the weights and losses that a reader of the folder wants."""
        from accelerate.utils import broadcast_object_list

        main, wait = self.accelerator.is_main_process, self.accelerator.wait_for_everyone
        part = checkpoints.begin(run.checkpoints, step) if main else None
        [part] = broadcast_object_list([part])
        try:
            self.accelerator.save_state(str(part))
            wait()
            if main:
                facts = {"settings": run.settings, "losses": self.losses}
                checkpoints.seal(run.checkpoints, step, facts)
                run.keep_weights(self.model if self.average is None else self.average.module)
                run.keep_losses(self.losses)
        except OSError:
            if main:
                checkpoints.drop(run.checkpoints, step)
            raise
        wait()

    def resume(self, checkpoint: Path) -> int:
        """The step a checkpoint was written after."""
        facts = checkpoints.manifest(checkpoint)
        self.accelerator.load_state(str(checkpoint))
        self.losses = [tuple(row) for row in facts["losses"]]
        return int(facts["step"])


def _open(
    run: Run, recipe: Recipe, data: Data, precision: str, resume: bool, training: _Training
) -> int:
    """Note the settings of a new run, or take up an old one; the first step to do."""
    from genmath.train.recipes import name_of

    settings = {
        "recipe": name_of(recipe),
        "data": data.name,
        "event": asdict(data.event),
        "precision": precision,
        "settings": recipe.settings(),
    }
    if not resume:
        if training.accelerator.is_main_process:
            run.folder.mkdir(parents=True, exist_ok=True)
            if run.last() is not None:
                refuse(
                    "run", str(run.folder), "a folder without a run; resume=True goes on with it"
                )
            run.write("settings.json", settings)
        training.accelerator.wait_for_everyone()
        return 0
    before = run.settings
    for key, now in _flat(settings).items():
        then = _flat(before).get(key)
        if then != now:
            refuse(key, repr(now), f"{then!r}, with which {run.folder} was begun")
    last = run.last()
    return 0 if last is None else training.resume(last)


def _flat(settings: dict[str, Any]) -> dict[str, Any]:
    """Settings as they are read back, all at one level."""
    read = json.loads(json.dumps(settings))
    return {**read, **read.pop("settings")}


def _shape(share: float) -> float:
    """The rate at a share of the steps, of the largest: up in 5 %, then a cosine to 0."""
    return min(1.0, share / 0.05) * 0.5 * (1 + math.cos(math.pi * share))


def _as_one(batch: Any) -> Any:
    """What `__getitems__` gives is a batch already."""
    return batch


def _accelerator(precision: str) -> Accelerator:
    try:
        from accelerate import Accelerator
        from accelerate.utils import DistributedDataParallelKwargs
    except ModuleNotFoundError as missing:
        if missing.name != "accelerate":
            raise
        raise ImportError(
            'accelerate is not installed; run: pip install "accelerate>=1.6" safetensors '
            '(or, in a checkout of genmath, pip install ".[train]")',
            name="accelerate",
        ) from None
    if precision not in ("no", "bf16", "fp16"):
        refuse("precision", repr(precision), '"no", "bf16" or "fp16"')
    unused = DistributedDataParallelKwargs(find_unused_parameters=True)  # a game's other player
    return Accelerator(mixed_precision=precision, kwargs_handlers=[unused])


@contextlib.contextmanager
def _as_it_was() -> Iterator[None]:
    """The global generator of the caller, given back."""
    with torch.random.fork_rng():
        yield


@contextlib.contextmanager
def _asked_to_stop() -> Iterator[list[int]]:
    """Ctrl-C and SIGTERM are noted for the next look; a second one acts as it always did."""
    asked: list[int] = []
    before: dict[int, Any] = {}

    def note(number: int, _: object) -> None:
        asked.append(number)
        signal.signal(number, before[number])

    try:
        for wanted in (signal.SIGINT, signal.SIGTERM):
            before[wanted] = signal.signal(wanted, note)
    except ValueError:  # not the main thread, where signals go to others
        pass
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
