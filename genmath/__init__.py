"""The mathematics of generative models: checked derivations, and torch code tied to them.

``import genmath`` loads nothing heavy. The checker is ``genmath.proof``; the implementations, one
module a topic such as ``genmath.ddpm``, come with ``pip install ".[torch]"`` in a checkout.
"""

__version__ = "0.1.0"
