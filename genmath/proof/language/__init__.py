"""What an author writes: the tree, its notation, how it is printed, and derivations made of it."""

from genmath.proof.language.derivation import Derivation
from genmath.proof.language.elementary import TABLE
from genmath.proof.language.matrix_functions import MATRICES
from genmath.proof.language.text import text
from genmath.proof.language.tree import Fn, Node
from genmath.proof.language.typeset import markdown

# Trees and derivations know no printer and no function; these are the ones they have.
Node.printer = text
Derivation.notebook = markdown
Fn.elementary, Fn.matrices = TABLE, MATRICES
