"""The shapes that signatures speak of. Data carry the batch first: (B,), (B, d), (B, C, H, W), …"""

from genmath._base.torch import Float, Int, Tensor

Data = Float[Tensor, "batch *event"]
PerSample = Float[Tensor, "batch"]
PerStep = Float[Tensor, "steps+1"]  # index 0 is clean data
Scalar = Float[Tensor, ""]
Array = Float[Tensor, "..."]

Steps = Int[Tensor, "batch"]
Tokens = Int[Tensor, "..."]  # choices 0..K-1
Step = int | Int[Tensor, "#batch"]  # one for all samples, or one a sample
Time = float | Float[Tensor, "..."]
Coefficient = float | Tensor
