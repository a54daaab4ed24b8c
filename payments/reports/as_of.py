"""As of when a report is: not an instant, but the last row of every table that it reads.

An instant would not do: a transaction that is at work may commit rows that bear an earlier one. So the bounds are
taken in a moment without writers of these tables, which proves that no row with a smaller id is committed any more.
All of them are tables whose rows are never changed; what a row with a status was then, its changes tell.
"""

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction

from config.clock import database_now
from config.locks import TablesBusy, keep_writers_out

# Name of the bound in a report's SQL (`%(as_of_posting)s`) → its table.
TABLES = {
    "posting": "payments_posting",
    "journal": "payments_journalentry",
    "movement": "payments_movement",
    "payment_change": "payments_paymentchange",
    "receipt_change": "payments_receiptchange",
    "refund_change": "payments_refundchange",
    "dispute_change": "payments_disputechange",
    "payout_change": "payments_payoutchange",
    "discrepancy_change": "payments_discrepancychange",
    "manual_change": "payments_manualrecordchange",
    "run_change": "payments_reconciliationrunchange",
    "payout_item": "payments_providerpayoutitem",
    "provider_payout_change": "payments_providerpayoutchange",
    "bank_line_change": "payments_banklinechange",
    "cancellation_change": "payments_cancellationchange",
    "discrepancy_act": "payments_discrepancyact",
    "write_off_change": "payments_writeoffchange",
    "foreign_object_change": "payments_foreignobjectchange",
    "prize_correction_change": "payments_prizecorrectionchange",
    "payout_account_change": "payments_payoutaccountchange",
    "tax_form": "payments_taxform",
    "export_change": "payments_exportchange",
    "export_download": "payments_exportdownload",
    "schedule_change": "payments_exportschedulechange",
    "period_change": "payments_periodclosechange",
    "account_mapping_change": "payments_accountmappingchange",
    "journal_batch_change": "payments_journalbatchchange",
    "request_change": "entries_requestchange",
}
# Shorter than PostgreSQL waits before it looks for a deadlock: of two that wait for each other, we give up.
PATIENCE = "300ms"
TRIES = 20
PAUSE_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class AsOf:
    """The last row of each table; `instant` is the database's clock at that moment."""

    instant: datetime
    bounds: Mapping[str, int]

    @property
    def posting_id(self) -> int:
        """The last line of the journal."""
        return self.bounds["posting"]

    def parameters(self) -> dict[str, int | datetime]:
        """For a report's SQL: `as_of`, and `as_of_<name>` of each table."""
        return {"as_of": self.instant, **{f"as_of_{name}": bound for name, bound in self.bounds.items()}}


def take_as_of() -> AsOf:
    """Where the books are now. Refuses (`TablesBusy`) where there is no moment without writers within some seconds.

    Refuses to be called in a transaction, which would keep all writers waiting to its end.
    """
    for _ in range(TRIES - 1):
        with suppress(TablesBusy):
            return _take()
        time.sleep(PAUSE_SECONDS)
    return _take()


@transaction.atomic(durable=True)
def _take() -> AsOf:
    keep_writers_out(*TABLES.values(), patience=PATIENCE)
    columns = ", ".join(f"(SELECT coalesce(max(id), 0) FROM {table})" for table in TABLES.values())
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {columns}")
        row = cursor.fetchone()
    return AsOf(database_now(), dict(zip(TABLES, row, strict=True)))
