"""Networks, plain ``torch.nn`` modules: small, with a time or labels beside the data."""

from genmath.nets.images import Discriminator, Generator
from genmath.nets.mlp import MLP
from genmath.nets.unet import UNet

__all__ = ["MLP", "Discriminator", "Generator", "UNet"]
