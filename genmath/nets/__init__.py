"""Networks, plain ``torch.nn`` modules."""

from genmath.nets.mlp import MLP

__all__ = ["MLP"]
