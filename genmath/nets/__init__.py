"""Networks, plain ``torch.nn`` modules: small, with a time or labels beside the data.

Those that are laws of integers share one face, `Autoregressive`: `log_prob` and `sample`. Those
that are asked at a time are called as net(x, t), `MLP`, `UNet` and `DiT`, the last two also as
net(x, t, label, context, mask), and `Captioned` as net(x, t, tokens); samplers and losses take them
as they are, and ``torch.compile(net)`` too. The average of weights that one samples from is torch's
own, ``AveragedModel(net, multi_avg_fn=get_ema_multi_avg_fn(0.999))`` of torch.optim.swa_utils,
whose ``update_parameters(net)`` follows each step; it is called as the network is.
"""

from genmath.nets.autoregressive import Autoregressive
from genmath.nets.captioned import Captioned
from genmath.nets.codes import ConvDecoder, ConvEncoder
from genmath.nets.dit import DiT
from genmath.nets.gpt import GPT
from genmath.nets.gru import GRULM
from genmath.nets.images import Discriminator, Generator
from genmath.nets.made import MADE
from genmath.nets.masks import causal_mask, made_degrees, made_masks, pixelcnn_mask
from genmath.nets.mlp import MLP
from genmath.nets.pixelcnn import PixelCNN
from genmath.nets.text import Encoded, TextEncoder
from genmath.nets.unet import UNet
from genmath.nets.vit import ViT
from genmath.nets.wavenet import WaveNet

__all__ = [
    "GPT",
    "GRULM",
    "MADE",
    "MLP",
    "Autoregressive",
    "Captioned",
    "ConvDecoder",
    "ConvEncoder",
    "DiT",
    "Discriminator",
    "Encoded",
    "Generator",
    "PixelCNN",
    "TextEncoder",
    "UNet",
    "ViT",
    "WaveNet",
    "causal_mask",
    "made_degrees",
    "made_masks",
    "pixelcnn_mask",
]
