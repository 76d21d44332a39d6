"""Samplers by the names that one types."""

from __future__ import annotations

from genmath._base.checks import refuse
from genmath.samplers import DDIM, Ancestral, DPMSolver, Euler, Heun, ReverseSDE, Sampler, UniPC

SAMPLERS: dict[str, Sampler] = {
    "euler": Euler(),
    "heun": Heun(),
    "dpm": DPMSolver(),
    "unipc": UniPC(),
    "ddim": DDIM(),
    "ancestral": Ancestral(),
    "sde": ReverseSDE(),
}


CONTINUOUS = ("euler", "heun", "sde")  # they need the slope of a path


def sampler_of(name: str, eta: float = 0.0, *, counted: bool = False) -> Sampler:
    """The sampler of a name. ``eta`` is the share of fresh noise, which is a choice in DDIM alone;
    ``counted`` are noise levels that are numbered, between which a path has no slope.

    Errors: ValueError for another name, or an eta that is not 0 with another sampler than DDIM.
    """
    known = [each for each in SAMPLERS if not (counted and each in CONTINUOUS)]
    if name not in known:
        refuse("sampler", repr(name), "one of " + ", ".join(known))
    if name == "ddim":
        return DDIM(eta)
    if eta:
        refuse("eta", eta, f'0 with sampler "{name}": only "ddim" lets you choose')
    return SAMPLERS[name]
