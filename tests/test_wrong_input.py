"""What the API promises of bad input, kept for every argument of every public function.

Each argument of a valid call is replaced by every member of a zoo. Either that is one of the things
that the argument takes, and then nothing comes out that is not a number; or a ValueError names the
argument, what it got and what was expected.
"""

from __future__ import annotations

import inspect
import re
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch

from genmath.samplers import Amplified
from tests.valid_calls import KINDS, NONE, TAKES, ZOO, public, valid

PUBLIC = dict(public())
INTERNAL = {"samplers.DDIM.between", "samplers.DDIM.fresh"}  # handed vectors by `genmath.ddim`
VALID = valid()


def call(name: str, arguments: dict[str, Any]) -> Any:
    arguments = dict(arguments)
    own = [arguments.pop("self")] if "self" in arguments else []
    return PUBLIC[name](*own, **arguments)


def tensors(value: Any) -> Iterator[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, (tuple, list)):
        for part in value:
            yield from tensors(part)
    elif isinstance(value, float):
        yield torch.tensor(value)


def nans(name: str, out: torch.Tensor) -> int:
    """How many, besides the entry of step 0 where there is none."""
    return int(out.isnan().sum()) - (name == "ddpm.reverse_variance")


def takes(name: str, argument: str) -> frozenset[str]:
    fine = TAKES.get(f"{name}:{argument}", KINDS.get(argument, frozenset()))
    annotation = str(inspect.signature(PUBLIC[name]).parameters[argument].annotation)
    return fine | NONE if annotation.endswith("| None") else fine


def test_a_valid_call_is_known_of_everything_public() -> None:
    assert set(VALID) == set(PUBLIC) - INTERNAL
    for name, arguments in VALID.items():
        parameters = set(inspect.signature(PUBLIC[name]).parameters)
        # What is left out excludes what is given, as a generator does a noise.
        assert set(arguments) <= parameters
        assert parameters - set(arguments) <= {
            "generator",
            "start",
            "noise",
            "y",
            "covariances",
            "average",
            "trace",
        }, name


@pytest.mark.parametrize("name", VALID)
def test_the_valid_calls_are_valid(name: str) -> None:
    for out in tensors(call(name, VALID[name])):
        assert nans(name, out) == 0


def verdict(name: str, argument: str, label: str) -> str | None:
    """What is wrong with how a call with one bad argument ends, if anything."""
    given = {**VALID[name], argument: ZOO[label]}
    fine = label in takes(name, argument)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.simplefilter("ignore", Amplified)  # a step or two, on purpose
            warnings.filterwarnings("ignore", "`torch.jit")  # torch's own, at its first jvp
            out = call(name, given)
    except ValueError as error:
        said = re.fullmatch(r"([\w, \[\]]+): got (.+), expected (.+)", str(error), re.DOTALL)
        if not said:
            return f"says not what was expected: {error}"
        if fine:
            return None  # it does not go with another argument
        # Of two shapes that differ either may be called the wrong one.
        heads = said[1] if label not in TENSOR_LABELS else said[0]
        return None if re.search(rf"\b{argument}\b", heads) else f"blames another: {error}"
    except Exception as error:
        if callable(VALID[name][argument]) and label in ("module", "function of nothing"):
            return None
        if raised_by_the_caller(error):
            return None
        return f"{type(error).__name__}: {str(error)[:150]}"
    if not fine:
        return f"accepted: {str(out)[:80]}"
    if isinstance(ZOO[label], torch.Tensor) and ZOO[label].isnan().any():
        return None  # passed on
    return "gives NaN" if any(nans(name, x) for x in tensors(out)) else None


def raised_by_the_caller(error: Exception) -> bool:
    """By a function or a network that was handed over: what it raises is its own."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    assert trace is not None
    return re.search(r"valid_calls\.py|nn/modules/", trace.tb_frame.f_code.co_filename) is not None


TENSOR_LABELS = {label for label, value in ZOO.items() if isinstance(value, torch.Tensor)}
CASES = [
    (name, argument)
    for name, arguments in VALID.items()
    for argument in arguments
    if argument != "self"
]


def test_there_are_many_cases() -> None:
    assert len(CASES) * len(ZOO) >= 15_000


@pytest.mark.parametrize(("name", "argument"), CASES, ids=[f"{n}-{a}" for n, a in CASES])
def test_whatever_an_argument_is_the_answer_is_right_or_says_what_is_wrong(name, argument) -> None:
    wrong = {label: verdict(name, argument, label) for label in ZOO}
    assert not {label: said for label, said in wrong.items() if said}


# A model whose graph is lost has the slope 0, silently

LOST: dict[str, Callable[[Callable[..., torch.Tensor]], Callable[..., torch.Tensor]]] = {
    "no_grad": torch.no_grad(),
    "inference_mode": torch.inference_mode(),
    "detach": lambda model: lambda *given: model(*given).detach(),
    "detached input": lambda model: lambda x, *t: model(x.detach(), *t),
    "numpy": lambda model: lambda *given: torch.from_numpy(model(*given).detach().numpy()),
    "constant": lambda model: lambda *given: torch.zeros_like(model(*given)),
}
WITH_GRADIENTS = {
    "cnf.log_prob": "model",
    "solvers.transport": "model",
    "sde.log_likelihood": "model",
    "score.energy_score": "energy",
    "score.hyvarinen_loss": "score",
    "score.sliced_loss": "score",
    "score.tweedie_covariance": "score",
    "wasserstein.gradient_penalty": "critic",
}


@pytest.mark.parametrize("lost", LOST)
@pytest.mark.parametrize(("name", "argument"), WITH_GRADIENTS.items())
@pytest.mark.parametrize("outside", [True, False], ids=["grad", "no_grad outside"])
def test_a_model_without_a_graph_is_refused_where_it_is_differentiated(
    name, argument, lost, outside
) -> None:
    model = VALID[name][argument]
    given = {**VALID[name], argument: LOST[lost](model)}
    with torch.set_grad_enabled(outside), pytest.raises(ValueError, match="cannot follow back"):
        call(name, given)


@pytest.mark.parametrize("name", [*WITH_GRADIENTS, "gan.r1_penalty", "score.sliced_loss"])
def test_a_batch_norm_that_mixes_samples_is_refused_where_slopes_are_taken(name: str) -> None:
    class Mixing(torch.nn.Module):
        def __init__(self, own: Any) -> None:
            super().__init__()
            self.norm, self.own = torch.nn.BatchNorm1d(2), own

        def forward(self, x: torch.Tensor, *t: torch.Tensor) -> torch.Tensor:
            out: torch.Tensor = self.own(self.norm(x.float()).to(x.dtype), *t)
            return out

    argument = WITH_GRADIENTS.get(name, "discriminator")
    model = Mixing(VALID[name][argument])
    given = {**VALID[name], argument: model}
    refused = rf"^{argument}: got one with BatchNorm.* expected no batch"
    with pytest.raises(ValueError, match=refused):
        call(name, given)
    model.eval()
    call(name, given)


@pytest.mark.parametrize("lost", ["no_grad", "detach"])
def test_a_penalised_discriminator_without_a_graph_is_refused(lost: str) -> None:
    net = torch.nn.Linear(2, 1)
    net.forward = LOST[lost](net.forward)  # type: ignore[method-assign]
    with pytest.raises(ValueError, match="cannot follow back"):
        call("gan.r1_penalty", {"discriminator": net, "x": torch.ones(3, 2), "gamma": 1.0})
