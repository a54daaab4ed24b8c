"""The number of a row, read from a text that anybody may have written: an address, a form, a search."""

# As long as a key of ours can be. Of thousands of digits Python itself makes no number.
MOST_DIGITS = 18


def row_number(text: str | None) -> int | None:
    """The number that it says; None for whatever cannot be one."""
    is_one = text is not None and text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS
    return int(text or 0) if is_one else None
