"""Which kinds of news change something here, and what they are about."""

from enum import StrEnum

# In front of the type of a thin event.
THIN = "v1."
EVENTS_LOST = "v2.core.health.event_generation_failure.resolved"


class Subject(StrEnum):
    """What has to be asked for."""

    PAYMENT = "payment"
    CHARGE = "charge"
    PAYOUT = "payout"
    TRANSFER = "transfer"
    EVENTS_LOST = "events_lost"


# The first that fits. News about anything else changes nothing here, whosever it is.
SUBJECTS = (
    ("checkout.session.", Subject.PAYMENT),
    ("payment_intent.", Subject.PAYMENT),
    ("charge.succeeded", Subject.PAYMENT),
    # Of a charge that never came, or of one that its bank took back although it had.
    ("charge.failed", Subject.CHARGE),
    ("charge.refund", Subject.CHARGE),
    ("charge.updated", Subject.CHARGE),
    ("charge.dispute.", Subject.CHARGE),
    ("refund.", Subject.CHARGE),
    ("payout.", Subject.PAYOUT),
    # A prize on its way to its winner.
    ("transfer.", Subject.TRANSFER),
    (EVENTS_LOST, Subject.EVENTS_LOST),
)


def subject_of_type(event_type: str) -> Subject | None:
    """What news of this type is about; None where it changes nothing here."""
    bare = event_type.removeprefix(THIN)
    return next((subject for start, subject in SUBJECTS if bare.startswith(start)), None)


def is_followed(event_type: str) -> bool:
    """Whether news of this type is looked into."""
    return subject_of_type(event_type) is not None


def is_of_session(event_type: str) -> bool:
    """Whether the object of this news is a session itself."""
    return event_type.removeprefix(THIN).startswith("checkout.session.")
