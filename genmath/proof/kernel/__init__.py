"""A small program that re-checks written proofs. It trusts no other part of the book.

`check(text)` reads a certificate and says, line by line, what it proves and on what that rests.
"""

from genmath.proof.kernel.document import Certificate, Line, check
from genmath.proof.kernel.limits import Rejected

__all__ = ["Certificate", "Line", "Rejected", "check"]
