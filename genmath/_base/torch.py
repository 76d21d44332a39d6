"""torch and jaxtyping for the implementations, or one line that says how to get them."""

try:
    import torch
    from jaxtyping import Bool, Float, Int
    from torch import Tensor, nn
except ModuleNotFoundError as missing:
    if missing.name not in ("torch", "jaxtyping"):
        raise
    raise ImportError(
        f"{missing.name} is not installed; run: pip install torch jaxtyping "
        '(or, in a checkout of genmath, pip install ".[torch]")',
        name=missing.name,
    ) from None

__all__ = ["Bool", "Float", "Int", "Tensor", "nn", "torch"]
