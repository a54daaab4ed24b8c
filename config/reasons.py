"""Why somebody did something: asked for wherever it is kept, in their own words."""

from config.errors import invalid

LONGEST_REASON = 500


def check_reason(reason: str) -> str:
    """The reason without blanks around it. Refuses none, and one that nobody would read."""
    reason = reason.strip()
    if not 0 < len(reason) <= LONGEST_REASON:
        raise invalid("reason", f"Say why, in 1 to {LONGEST_REASON} characters.")
    return reason
