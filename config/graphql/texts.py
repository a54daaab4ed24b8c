"""Texts that come in as arguments."""

from config.errors import invalid


def read_text(value: str | None, name: str, *, longest: int) -> str | None:
    """The text. Refuses one that is longer than what it is compared with can be."""
    if value is not None and len(value) > longest:
        raise invalid(name, f"Must have at most {longest} characters.")
    return value
