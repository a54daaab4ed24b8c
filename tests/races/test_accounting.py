"""A day of journals, many clerks: exported once."""

from itertools import count

import pytest

from payments.accounting.batches import make_batch, withdraw_batch
from payments.accounting.mapping import map_account
from payments.ledger.accounts import Kind
from payments.models import AccountMapping, JournalBatch
from tests.accounting.books import QUICKBOOKS, XERO, mapped, received
from tests.factories.accounts import FinanceFactory
from tests.support.threads import again_and_again, codes, run_together, successes

pytestmark = pytest.mark.django_db(transaction=True)
# Before January: a long run of repetitions needs more days than a month has, and none that is yet to come.
_days = count(-2000)


@pytest.fixture
def ready():
    """What is exported in one repetition stays so in the next, which has days of its own."""
    if not AccountMapping.objects.exists():
        mapped(QUICKBOOKS)


def made(by=None):
    return make_batch(system=QUICKBOOKS, by=by)


def exported():
    """What all batches that hold have come to."""
    held = JournalBatch.objects.filter(status="made")
    return sum(batch.totals["usd"]["debits"] for batch in held)


@again_and_again
def test_a_day_is_exported_once_however_many_ask(ready):
    before = JournalBatch.objects.count()
    received(next(_days)), received(next(_days))
    clerks = [FinanceFactory() for _ in range(4)]

    outcomes = run_together([lambda by=by: made(by) for by in clerks])

    assert (len(successes(outcomes)), codes(outcomes)) == (1, ["ALREADY_EXPORTED"] * 3)
    assert JournalBatch.objects.count() == before + 1
    assert successes(outcomes)[0].days.count() == 2


@again_and_again
def test_what_is_booked_meanwhile_is_in_one_batch_or_the_next(ready):
    before, day = exported(), next(_days)
    received(day)
    clerks = [FinanceFactory() for _ in range(2)]

    run_together(
        [lambda by=by: made(by) for by in clerks] + [lambda: received(day, 300), lambda: received(day + 1, 70)]
    )
    run_together([made])

    assert exported() - before == 5370


@again_and_again
def test_an_account_that_two_map_at_once_is_mapped_once(db):
    AccountMapping.objects.filter(system=XERO).delete()
    clerks = [FinanceFactory() for _ in range(4)]

    outcomes = run_together(
        [
            lambda by=by: map_account(system=XERO, kind=Kind.BANK, account=f"Bank {by.pk}", tax_rate="None", by=by)
            for by in clerks
        ]
    )

    assert len(successes(outcomes)) == 4
    assert AccountMapping.objects.get(system=XERO).account in {f"Bank {by.pk}" for by in clerks}


@again_and_again
def test_a_batch_is_withdrawn_or_built_upon(ready):
    before, day = exported(), next(_days)
    received(day)
    first = made(FinanceFactory())
    received(day, 300)

    outcomes = run_together(
        [lambda: withdraw_batch(batch_id=first.pk, by=FinanceFactory(), reason="wrong"), lambda: made(FinanceFactory())]
    )
    run_together([made])

    assert set(codes(outcomes)) <= {"INVALID_TRANSITION"}
    assert exported() - before == 5300
