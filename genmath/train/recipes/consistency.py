"""Consistency: a teacher's flow, then a student that says at once where the flow ends."""

from dataclasses import dataclass

from torch import Generator, Tensor, nn

from genmath.consistency import ConsistencyModel, distillation_loss, sample
from genmath.flow_matching import cfm_loss
from genmath.train.data import Batch, Data, Event
from genmath.train.measures import distance
from genmath.train.networks import network
from genmath.train.recipe import Recipe, Turn, halves


class Pupil(nn.Module):
    """A velocity, and a consistency model that learns from it."""

    def __init__(self, teacher: nn.Module, student: ConsistencyModel) -> None:
        super().__init__()
        self.teacher, self.student = teacher, student


@dataclass(frozen=True, kw_only=True)
class Consistency(Recipe):
    """A step of the teacher must not change what the student answers.

    Result: consistency.boundary, consistency.distillation_error
    Source: Song et al. 2023, algorithms 1 and 2.
    """

    title = "Consistency distillation"
    shows = "digits in a single call"
    takes = ("points", "pictures")

    steps: int = 3000
    batch: int = 64
    average: float = 0.995
    width: int = 24
    grid: int = 20  # the steps of the teacher between noise and data

    def stage(self, step: int) -> tuple[int, int]:
        return halves(step, self.steps)

    def build(self, event: Event, generator: Generator) -> Pupil:
        teacher, student = (network(event, self.width, generator) for _ in range(2))
        return Pupil(teacher, ConsistencyModel(student))

    def turn(self, step: int) -> Turn:
        late = self.stage(step)[0]
        return Turn(self.distil, "student") if late else Turn(self.loss, "teacher")

    def loss(self, model: Pupil, batch: Batch, generator: Generator) -> Tensor:
        return cfm_loss(model.teacher, batch.x, generator=generator)

    def distil(self, model: Pupil, batch: Batch, generator: Generator) -> Tensor:
        return distillation_loss(
            model.student, batch.x, teacher=model.teacher, steps=self.grid, generator=generator
        )

    def before(self, model: Pupil, step: int, data: Data, generator: Generator) -> None:
        if 0 < step == self.stage(step)[0]:
            model.student.model.load_state_dict(model.teacher.state_dict())

    def sample(
        self, model: Pupil, event: Event, n: int, generator: Generator, *, steps: int = 2
    ) -> Tensor:
        return sample(model.student, (n, *event.shape), steps=steps, generator=generator)

    def evaluate(self, model: Pupil, data: Data, generator: Generator) -> dict[str, float]:
        figures, n = {}, len(data.test.x)
        for steps in (1, 2, 4):
            x = self.sample(model, data.event, n, generator, steps=steps)
            name, figure = distance(x, data)
            figures[f"{name}, steps {steps}"] = figure
        return figures
