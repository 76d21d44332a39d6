"""What an author writes: the tree, its notation, how it is printed, and derivations made of it."""

from genmath.proof.language.derivation import Derivation
from genmath.proof.language.text import text
from genmath.proof.language.tree import Node
from genmath.proof.language.typeset import markdown

# Trees and derivations know no printer; these are how they show themselves.
Node.printer = text
Derivation.notebook = markdown
