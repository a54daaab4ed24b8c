"""Our own names of things, as they come back in what a provider tells."""

from uuid import UUID


def read_ref(text: object) -> UUID | None:
    """Our own name of a payment or refund, if the text is one."""
    try:
        return UUID(text) if isinstance(text, str) else None
    except ValueError:
        return None
