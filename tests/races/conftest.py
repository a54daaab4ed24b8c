"""The races of money need the double that the tests of money use."""

from tests.payments.conftest import double, double_process, unpaid

__all__ = ["double", "double_process", "unpaid"]
