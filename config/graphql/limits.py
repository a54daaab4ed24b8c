"""How much one question may ask for. Whatever is more is refused before anything of it is looked up."""

from dataclasses import dataclass

from config.errors import Code, Malformed

# Of the name of a field's metadata that says how many things a list has at most, and what it costs to find them.
MOST, COST = "most", "cost"


@dataclass(frozen=True)
class Limits:
    """All of it together, with fragments counted wherever they are spread."""

    characters: int = 20_000
    tokens: int = 2_000
    depth: int = 10
    # Fields, fragments and spreads of the document, each wherever it is reached.
    selections: int = 400
    aliases: int = 25
    # Fields that are asked for again where they are asked for already: validation compares each with each.
    repeats: int = 25
    directives: int = 25
    # Things that may be found: one for each object, times the lengths of the lists around it.
    cost: int = 6_000
    # Names, values and items of all variables.
    variables: int = 200
    # How long all of it may take; a single statement has its own limit besides (`config.connections`).
    seconds: float = 5.0
    errors: int = 20


LIMITS = Limits()


class TooComplex(Malformed):
    """Over one of the limits, which `details` names."""

    def __init__(self, what: str, allowed: int) -> None:
        message = f"The question is too large: at most {allowed} {what}."
        super().__init__(Code.QUERY_TOO_COMPLEX, message, {"limit": what, "allowed": allowed})
