"""The world of the matrix, with the Stripe double beside it."""

from tests.payments.conftest import double, double_process, sessions_in_the_database
from tests.security.matrix.conftest import _built, world

__all__ = ["_built", "double", "double_process", "sessions_in_the_database", "world"]
