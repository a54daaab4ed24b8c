"""Requests as finance sees them: approved, and still owing their fee."""

from typing import ClassVar

from entries.models import Request


class UnpaidRequest(Request):
    """A view of `Request` with rights of its own: who sees money need not be who decides about requests."""

    class Meta:
        proxy = True
        verbose_name = "unpaid request"
        ordering: ClassVar = ["pay_by", "id"]
        default_permissions: ClassVar = ("view",)
        permissions: ClassVar = [("waive_fee", "Can waive a fee")]
