"""Which of the author's functions writes each node, so that data can be written again by it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from genmath.proof.language.tree import Node

AUTHOR: dict[str, tuple[type[Node], Callable[[Any], Node]]] = {}
Function = TypeVar("Function", bound=Callable[..., Any])


def writes(kind: type[Node], arguments: Callable[[Any], Any]) -> Callable[[Function], Function]:
    """The function decorated writes nodes of that kind; `arguments` are those it is called with
    to write a given one."""

    def decorate(function: Function) -> Function:
        AUTHOR[kind.__name__] = (kind, lambda node: function(*arguments(node)))
        return function

    return decorate
