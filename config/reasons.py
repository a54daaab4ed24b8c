"""Why somebody did something: asked for wherever it is kept, in their own words."""

from config.errors import invalid
from config.phrases import phrase

LONGEST_REASON = 500


def check_reason(reason: str) -> str:
    """The reason without blanks around it. Refuses none, and one that nobody would read."""
    reason = reason.strip()
    if not 0 < len(reason) <= LONGEST_REASON:
        raise invalid("reason", phrase("Say why, in 1 to {most} characters.", most=LONGEST_REASON))
    return reason
