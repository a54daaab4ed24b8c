"""Two people, or a person and the machine, at one statement, one line, one payout: one of them has it."""

import pytest
from django.db import transaction

from payments.bank.deciding import Choice, match_by_hand, undo_match
from payments.bank.importing import Given, import_file
from payments.bank.matching import match_all_lines
from payments.models import BankAccount, BankFile, BankLine, BankMatch
from tests.factories.accounts import FinanceFactory
from tests.payments.bank import test_matching
from tests.support.bank import IBAN, LAYOUT, csv_of
from tests.support.charging import balance
from tests.support.threads import codes, run_together, successes

pytestmark = pytest.mark.django_db(transaction=True)


def sent(*args, **how):
    with transaction.atomic():
        return test_matching.sent(*args, **how)


def account():
    return BankAccount.objects.create(name="House", number=IBAN, currency="usd", layout=LAYOUT)


def taking(content, by, of):
    return lambda: import_file(content=content, name="a.csv", given=Given(account_id=of.pk), by=by)


def matching(line, by, **choice):
    return lambda: match_by_hand(line_id=line.pk, choice=Choice(**choice), by=by, reason="it is")


def test_one_file_taken_in_twice_is_one():
    of, by = account(), FinanceFactory()
    content = csv_of(("2026-11-03", "a", 100, 100), ("2026-11-03", "b", 200, 300))

    outcomes = run_together([taking(content, by, of), taking(content, by, of), taking(content + b"\r\n", by, of)])

    assert (len(successes(outcomes)), set(codes(outcomes))) == (1, {"ALREADY_IMPORTED"})
    assert (BankFile.objects.count(), BankLine.objects.count()) == (1, 2)


def test_a_line_is_one_thing():
    of, staff = account(), [FinanceFactory() for _ in range(3)]
    first, second = sent("po_1", 4825), sent("po_2", 4825)
    import_file(
        content=csv_of(("2026-11-03", "which", 4825, 4825)), name="a.csv", given=Given(account_id=of.pk), by=staff[0]
    )
    line = BankLine.objects.get()

    outcomes = run_together(
        [
            matching(line, staff[0], payout_ids=(first.pk,)),
            matching(line, staff[1], payout_ids=(second.pk,)),
            matching(line, staff[2], rest="not_ours"),
        ]
    )

    assert (len(successes(outcomes)), codes(outcomes)) == (1, ["INVALID_TRANSITION"] * 2)
    assert BankMatch.objects.count() == 1


def test_a_payout_is_one_line():
    of, staff = account(), [FinanceFactory() for _ in range(2)]
    payout = sent("po_1", 4825)
    content = csv_of(("2026-11-03", "a", 4825, 4825), ("2026-11-03", "b", 4825, 9650))
    import_file(content=content, name="a.csv", given=Given(account_id=of.pk), by=staff[0])
    one, other = BankLine.objects.order_by("pk")

    outcomes = run_together(
        [matching(one, staff[0], payout_ids=(payout.pk,)), matching(other, staff[1], payout_ids=(payout.pk,)),
         match_all_lines],
    )  # fmt: skip

    assert "VERSION_CONFLICT" in codes(outcomes)
    assert (BankMatch.objects.count(), balance("bank_in_transit")) == (1, 0)


def test_taken_back_twice_is_taken_back_once():
    of, staff = account(), [FinanceFactory() for _ in range(2)]
    sent("po_1", 4825, trace="TRACE0001")
    import_file(
        content=csv_of(("2026-11-03", "TRACE0001", 4825, 4825)), name="a.csv", given=Given(account_id=of.pk),
        by=staff[0],
    )  # fmt: skip
    line = BankLine.objects.get()

    outcomes = run_together([lambda who=who: undo_match(line_id=line.pk, by=who, reason="no") for who in staff])

    assert (len(successes(outcomes)), codes(outcomes)) == (1, ["INVALID_TRANSITION"])
    assert balance("bank_in_transit") == 4825
