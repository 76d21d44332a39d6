"""The table of topics: whatever only lists them is made from it, in this order.

A topic is its five rooms (CONTRIBUTING.md) and its line here.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Topic:
    """`builds_on`: what to read before, and whose results the chapter may use."""

    part: str
    name: str
    title: str  # of the chapter, the same wherever it is named
    asks: str  # what a reader wants to know who should read it
    builds_on: tuple[str, ...] = ()


# fmt: off
TOPICS = (
    Topic("Foundations", "likelihood", "Likelihood", "what a generative model is, how one is fitted to data, and what its numbers mean"),
    Topic("Foundations", "divergences", "Divergences", "how far one distribution is from another"),
    Topic("Foundations", "wasserstein", "Wasserstein distances", "how far apart two distributions are that do not overlap, and what a WGAN trains"),
    Topic("Explicit densities", "autoregressive", "Autoregressive models", "how one letter after the other makes a density that is exact", ("divergences",)),
    Topic("Explicit densities", "normalizing_flow", "Normalizing flows", "how an invertible network turns data into noise, and what the density is then"),
    Topic("Explicit densities", "cnf", "Continuous normalizing flows", "what the density of a sample is, when a flow made it"),
    Topic("Latent variables", "vae", "Variational autoencoders", "how to train a model with hidden variables", ("divergences",)),
    Topic("Latent variables", "vq", "Discrete codes and their prior", "how a picture becomes a short sequence of tokens, and what models them", ("vae", "autoregressive", "likelihood")),
    Topic("Games", "gan", "Generative adversarial networks", "how two networks in a game train one another, and what the game measures", ("divergences",)),
    Topic("Diffusion and flows", "ddpm", "Denoising diffusion", "why predicting noise trains a generative model", ("vae",)),
    Topic("Diffusion and flows", "ddim", "Implicit diffusion", "how to sample in fewer steps, without new training", ("ddpm",)),
    Topic("Diffusion and flows", "score", "Score matching", "what a denoiser knows about the density of its data"),
    Topic("Diffusion and flows", "sde", "Stochastic differential equations", "how a density moves, why there are many ways back, and the likelihood of a diffusion model", ("ddpm", "score")),
    Topic("Diffusion and flows", "flow_matching", "Flow matching", "how a flow carries noise to data, and how to train one without simulating it"),
    Topic("Diffusion and flows", "edm", "EDM and fast solvers", "how to scale what a network sees and says, what an error should count, and how ten calls make a sample", ("ddim", "flow_matching")),
    Topic("Diffusion and flows", "guidance", "Guidance", "how a trained model is steered: towards a label, a text, or a part of the data that is known", ("ddpm", "flow_matching")),
    Topic("Diffusion and flows", "consistency", "Few steps and one", "how a network gives a sample in one call, and what it is trained on", ("flow_matching", "ddim", "divergences", "gan")),
    Topic("Diffusion and flows", "latent", "Latent diffusion", "why a diffusion model is trained on codes and not on pixels, and what that costs", ("vae", "gan", "ddpm", "flow_matching")),
    Topic("Diffusion and flows", "translation", "Style and image translation", "how a picture is shown in another manner or domain, with pairs and without", ("wasserstein", "gan", "ddim")),
    Topic("Architectures and systems", "attention", "Attention and transformers", "how a network chooses what it looks at, and what a transformer costs", ("autoregressive", "ddpm")),
    Topic("Architectures and systems", "multimodal", "Text to picture and clip", "how a text becomes a picture, a clip or a scene: the whole system, and what it adds to its parts", ("divergences", "latent", "guidance", "attention", "vq", "flow_matching", "edm", "consistency", "autoregressive")),
    Topic("Representation and evaluation", "contrastive", "Learning without labels", "what a network can learn from pictures without labels, and how to measure it", ("divergences",)),
    Topic("Representation and evaluation", "evaluation", "Evaluating generative models", "whether samples are good, what each measure sees, and how sure its number is", ("divergences", "wasserstein", "vae", "gan")),
)
# fmt: on

# The order of the parts; one without a topic does not show.
PARTS = (
    *("Foundations", "Explicit densities", "Latent variables", "Games", "Diffusion and flows"),
    *("Architectures and systems", "Representation and evaluation"),
)
