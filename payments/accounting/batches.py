"""Making a batch of journals, once, and taking one back that was never imported.

No line of the journal is in two batches that hold: what a batch has of a day begins where the one before ended, and
the database refuses two that begin at the same line. The file is kept with its row, so that it comes out as it was
made however the mapping, a pool's name or this code changes.
"""

import hashlib
from collections.abc import Sequence
from datetime import date, timedelta
from itertools import groupby

from django.db import transaction

from accounts.models import User
from config.audit import attribute
from config.clock import database_now, finance_date
from config.errors import Code, Conflict, invalid
from config.locks import advisory_lock, allow_long_statements
from config.phrases import phrase
from config.version import code_version
from payments.accounting.days import DayPart, pending_days, sums_of_days
from payments.accounting.formats import FORMATS, packed
from payments.accounting.journals import Journal, files_of, journals_of
from payments.accounting.mapping import theirs_for
from payments.models import AccountingSystem, BatchState, JournalBatch, JournalBatchDay
from payments.reports.as_of import AsOf, take_as_of
from payments.services.booking import livemode as house_livemode


def make_batch(
    *, system: AccountingSystem, through: date | None = None, by: User | None, livemode: bool | None = None
) -> JournalBatch:
    """Export what is not exported yet of the days through this one (yesterday), oldest days first.

    Corrections that were booked since for days exported before are in it, as further journals of their days. Refuses,
    changing nothing: a day that is not over in the finance zone; accounts that nobody has mapped
    (`ACCOUNT_NOT_MAPPED`, naming them); nothing to export (`ALREADY_EXPORTED`). Must not be called in a transaction.
    """
    is_live = house_livemode() if livemode is None else livemode
    day = _a_day_that_is_over(through)
    return _make(system, day, take_as_of(), by, is_live)


@transaction.atomic
def withdraw_batch(*, batch_id: int, by: User, reason: str) -> JournalBatch:
    """Take back the newest batch of its system, which was never imported there: its days are exported anew.

    Refuses one that is not the newest that holds, whoever made it themselves, and to do it without saying why.
    """
    if not reason.strip():
        raise invalid("reason", "Say why.")
    batch = JournalBatch.objects.locked().get(pk=batch_id)
    if batch.made_by_id == by.pk:
        raise Conflict(Code.SECOND_NAME_NEEDED, "Somebody else than who made it has to withdraw a batch.")
    advisory_lock(f"journals {batch.system}", int(batch.livemode))
    newer = JournalBatch.objects.filter(
        system=batch.system, livemode=batch.livemode, status=BatchState.MADE, number__gt=batch.number
    )
    if newer.exists():
        raise Conflict(
            Code.INVALID_TRANSITION, "There is a newer batch, which builds on this one. Withdraw that first."
        )
    attribute(by=by, reason=reason)
    batch.move_to(BatchState.WITHDRAWN)
    batch.withdrawn_by, batch.withdrawn_at = by, database_now()
    batch.save(update_fields=["status", "withdrawn_by", "withdrawn_at"])
    batch.days.update(holds=False)
    return batch


@transaction.atomic
def _make(system: AccountingSystem, through: date, as_of: AsOf, by: User | None, livemode: bool) -> JournalBatch:
    # Whoever makes the next batch of a system sees the one before.
    advisory_lock(f"journals {system}", int(livemode))
    allow_long_statements()
    days = pending_days(system=system, livemode=livemode, through=through, as_of=as_of.posting_id)
    sums = list(sums_of_days(days, livemode=livemode))
    if not sums:
        raise Conflict(
            Code.ALREADY_EXPORTED,
            phrase(
                "Everything through {through} was exported to {system} before.", through=through, system=system.label
            ),
        )
    theirs = theirs_for(system, sums)
    journals = list(journals_of(sums, theirs, most_lines=FORMATS[system].most_lines, livemode=livemode))
    attribute(by=by, reason=f"journals for {system.label}")
    last = JournalBatch.objects.filter(system=system, livemode=livemode).order_by("number").last()
    number = 1 if last is None else last.number + 1
    name = f"{system}-{'' if livemode else 'test-'}{number:05}-{days[0].day}-{days[-1].day}"
    file = packed(system, _files(system, name, journals))
    batch = JournalBatch.objects.create(
        file_name=f"{name}.{file.ending}",
        content=file.content,
        sha256=hashlib.sha256(file.content).hexdigest(),
        size=len(file.content),
        system=system,
        livemode=livemode,
        number=number,
        first_day=days[0].day,
        through_day=days[-1].day,
        as_of_posting=as_of.posting_id,
        lines=sum(len(journal.lines) for journal in journals),
        totals=_totals(journals),
        mapping={" ".join(filter(None, key)): [their.account, their.tax_rate] for key, their in theirs.items()},
        code_version=code_version(),
        made_by=by,
    )
    _keep_days(batch, days)
    batch.refresh_from_db()
    return batch


def _a_day_that_is_over(asked: date | None) -> date:
    today = finance_date(database_now())
    if asked is not None and asked >= today:
        raise invalid("through", phrase("{asked} is not over yet: journals are of whole days.", asked=asked))
    return today - timedelta(days=1) if asked is None else asked


def _files(system: AccountingSystem, name: str, journals: Sequence[Journal]) -> list[tuple[str, list[Journal]]]:
    """A program's file is of one currency, and of a limited size."""
    found = []
    by_currency = sorted(journals, key=lambda journal: journal.currency)
    for currency, group in groupby(by_currency, key=lambda journal: journal.currency):
        files = files_of(list(group), most_lines=FORMATS[system].most_lines)
        found += [(f"{name}-{currency}-{number}", file) for number, file in enumerate(files, start=1)]
    return found


def _totals(journals: Sequence[Journal]) -> dict[str, dict[str, int]]:
    """Currency → what its journals come to, as the control totals of the batch."""
    totals: dict[str, dict[str, int]] = {}
    for journal in journals:
        found = totals.setdefault(journal.currency, {"debits": 0, "credits": 0, "lines": 0, "journals": 0})
        found["debits"] += sum(line.amount for line in journal.lines if line.amount > 0)
        found["credits"] -= sum(line.amount for line in journal.lines if line.amount < 0)
        found["lines"] += len(journal.lines)
        found["journals"] += 1
    return totals


def _keep_days(batch: JournalBatch, days: Sequence[DayPart]) -> None:
    JournalBatchDay.objects.bulk_create(
        JournalBatchDay(
            batch=batch,
            system=batch.system,
            livemode=batch.livemode,
            day=one.day,
            part=one.part,
            after_posting=one.after,
            through_posting=one.through,
        )
        for one in days
    )
