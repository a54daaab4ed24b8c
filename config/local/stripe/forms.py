"""Stripe's form encoding: `line_items[0][price_data][currency]=usd`, `expand[]=payment_intent`.

Lists stay dictionaries keyed by position ("0", "1", …) until someone asks for them as a list: the text alone does
not tell a list from a dictionary with numeric keys.
"""

import re
from typing import TypeAlias, Union
from urllib.parse import parse_qsl

from config.local.stripe.errors import InvalidParameter

Tree: TypeAlias = dict[str, Union[str, "Tree"]]

NAME = re.compile(r"[^\[\]]+(?:\[[^\[\]]*\])*")
MAX_FIELDS = 1000
MAX_DEPTH = 8


def decode(text: str) -> Tree:
    """The tree of a query string or a form body. Refuses broken brackets, and a name that is both value and branch."""
    try:
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS)
    except (ValueError, UnicodeDecodeError) as error:
        raise InvalidParameter(f"The parameters could not be decoded: {error}") from None
    tree: Tree = {}
    for name, value in pairs:
        _plant(tree, name, value)
    return tree


def _plant(tree: Tree, name: str, value: str) -> None:
    parts = _parts(name)
    branch = tree
    for part in parts[:-1]:
        inner = branch.setdefault(part or str(len(branch)), {})
        if isinstance(inner, str):
            raise InvalidParameter(f"Invalid parameter: {name} is given both as a value and as a hash", param=name)
        branch = inner
    last = parts[-1] or str(len(branch))
    if isinstance(branch.get(last), dict):
        raise InvalidParameter(f"Invalid parameter: {name} is given both as a value and as a hash", param=name)
    branch[last] = value


def _parts(name: str) -> list[str]:
    """`a[b][]` → ["a", "b", ""]."""
    if not NAME.fullmatch(name):
        raise InvalidParameter(f"Invalid parameter name: {name}", param=name)
    parts = name.replace("]", "").split("[")
    if len(parts) > MAX_DEPTH:
        raise InvalidParameter(f"Parameters are nested too deeply: {name}", param=name)
    return parts
