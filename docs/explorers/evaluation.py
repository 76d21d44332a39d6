"""Samples of one number, and what four measures say of them."""

from explorers import Explorer, Slider

from genmath.book import chapter
from genmath.proof import *
from genmath.proof.functions import javascript
from genmath.proof.functions.compiled import side_of

evaluation = chapter("evaluation")
mean = side_of(evaluation.gaussian_kernel)

EXPLORER = Explorer(
    title="One feature of each picture: the same Fréchet distance for different faults",
    shows="The normal density of the data and that of the samples on one line, the difference of their mean kernels as a shaded curve, and a marker where the Fréchet distance of finitely many points lies on average.",
    scripts=[
        javascript(evaluation.names["frechet"], "frechet"),
        javascript(mean, "kernel"),
        javascript(evaluation.fid_bias["two"], "spread"),
    ],
    uses=["evaluation.gaussian_kernel", "evaluation.fid_bias", "evaluation.mean_bias"],
    controls=[
        Slider("mu_2", "samples: mean", -3, 3, 0.8, 0.02),
        Slider("sigma_2", "samples: deviation", 0.2, 3, 0.6, 0.02),
        Slider("h", "bandwidth of the kernel $h$", 0.1, 4, 0.7, 0.02),
        Slider("N", "points in each set $N$", 3, 200, 20, 1),
    ],
    numbers={
        "frechet": "Fréchet distance",
        "bias": "what $N$ points add, if the laws are equal",
        "mmd": "MMD, Gaussian kernel, squared",
    },
    actions={"fit": "Follow MMD to the data"},
    words=r"""
**Try this.** The data are standard normal. Put the samples' mean to 0 and their deviation once to $0.5$ and once to $1.5$: the same Fréchet distance, one model too timid and one too wild. What does MMD say of the two? Make the bandwidth large: MMD
then sees hardly more than the means (`evaluation.gaussian_kernel`). Lower $N$: the distance that a *perfect* model has with so few points (`evaluation.fid_bias`, `evaluation.mean_bias`) soon exceeds that of yours. *Follow MMD*: the samples go down its slope; from far away, with a narrow kernel, it is too flat to lead anywhere.
""",
)
