"""What a call was refused with."""

import pytest

from config.errors import DomainError


def refusal_of(call, *args, **given):
    """The refusal, as the caller reads it."""
    with pytest.raises(DomainError) as refusal:
        call(*args, **given)
    return refusal.value


def refused(call, *args, **given):
    """Its code."""
    return refusal_of(call, *args, **given).code
