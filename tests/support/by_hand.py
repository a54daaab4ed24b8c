"""Money in hand: how it passed, and the scans that show it."""

from datetime import timedelta
from itertools import count

from config.clock import database_now
from payments.services.manual.deciding import confirm_record
from payments.services.manual.evidence import Scan
from payments.services.manual.incoming import record_payment
from payments.services.manual.records import Handover
from tests.factories.accounts import FinanceFactory

PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n%%EOF\n"
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 32
JPEG = b"\xff\xd8\xff\xe0" + b"\x00" * 32
_numbers = count(1)


def cash(reference=None, **changes):
    """Fifty dollars on the table an hour ago; of these nobody has a scan."""
    given = {"method": "cash", "passed_at": database_now() - timedelta(seconds=5)} | changes
    return Handover(reference=reference or f"receipt {next(_numbers)}", **given)


def transfer(reference=None, **changes):
    """A bank transfer with its statement."""
    given = {"method": "transfer", "evidence": (Scan("statement.pdf", PDF),)} | changes
    return cash(reference or f"bank {next(_numbers)}", **given)


def recorded(request, *, by=None, handover=None, amount_cents=5000, currency="usd"):
    """Fifty dollars for the request, written down by one of finance."""
    return record_payment(
        request_id=request.pk,
        handover=handover or cash(),
        amount_cents=amount_cents,
        currency=currency,
        by=by or FinanceFactory(),
        now=database_now(),
    )


def paid_by_hand(request, **how):
    """The same, confirmed by another; the record."""
    return confirm_record(record_id=recorded(request, **how).pk, by=FinanceFactory())
