"""Networks, plain ``torch.nn`` modules: small, with a time or labels beside the data.

Those that are laws of integers share one face, `Autoregressive`: `log_prob` and `sample`.
"""

from genmath.nets.autoregressive import Autoregressive
from genmath.nets.dit import DiT
from genmath.nets.gpt import GPT
from genmath.nets.gru import GRULM
from genmath.nets.images import Discriminator, Generator
from genmath.nets.made import MADE
from genmath.nets.masks import causal_mask, made_degrees, made_masks, pixelcnn_mask
from genmath.nets.mlp import MLP
from genmath.nets.pixelcnn import PixelCNN
from genmath.nets.unet import UNet
from genmath.nets.wavenet import WaveNet

__all__ = [
    "GPT",
    "GRULM",
    "MADE",
    "MLP",
    "Autoregressive",
    "DiT",
    "Discriminator",
    "Generator",
    "PixelCNN",
    "UNet",
    "WaveNet",
    "causal_mask",
    "made_degrees",
    "made_masks",
    "pixelcnn_mask",
]
