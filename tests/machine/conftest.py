"""The double of Stripe, as the tests of payments have it."""

from tests.payments.conftest import double, double_process

__all__ = ["double", "double_process"]
