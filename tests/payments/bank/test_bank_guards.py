"""What PostgreSQL refuses of statements, lines and matches, whoever asks."""

import pytest

from payments.models import ProviderPayout
from tests.payments.bank.test_matching import line, sent
from tests.support.attacks import attack
from tests.support.bank import csv_of

pytestmark = pytest.mark.django_db

LINES = (
    "INSERT INTO payments_bankline (statement_id, account_id, reference, booked_on, amount_cents, currency, text,"
    " counterparty, trace_id, status) SELECT statement_id, account_id,"
)
REST = "booked_on, 5, currency, '', '', '', 'waiting' FROM payments_bankline"
MATCHES = (
    "INSERT INTO payments_bankmatch (line_id, kind, amount_cents, found_by, reason, undone_because, made_by_id)"
    " SELECT id,"
)


class TestAttacks:
    @pytest.fixture
    def matched(self, take):
        sent(trace="TRACE0001")
        return line(take, text="TRACE0001")

    @pytest.mark.parametrize(
        ("sql", "guard"),
        [
            ("UPDATE payments_bankline SET amount_cents = 1", "bank_line_stays"),
            ("UPDATE payments_bankline SET text = ''", "bank_line_stays"),
            ("UPDATE payments_bankline SET status = 'waiting'", "bank_line_matched_whole"),
            ("DELETE FROM payments_bankline", "never_deleted"),
            ("DELETE FROM payments_banklinechange", "append_only"),
            ("UPDATE payments_bankstatement SET closing_cents = 0", "append_only"),
            ("DELETE FROM payments_bankstatement", "append_only"),
            ("UPDATE payments_bankfile SET content = ''", "append_only"),
            ("DELETE FROM payments_bankaccount", "never_deleted"),
            ("UPDATE payments_bankaccount SET currency = 'eur'", "bank_account_stays"),
            ("UPDATE payments_bankaccount SET number = '123456'", "bank_account_stays"),
            ("UPDATE payments_bankaccount SET livemode = true", "bank_account_stays"),
            ("DELETE FROM payments_bankmatch", "never_deleted"),
            ("UPDATE payments_bankmatch SET amount_cents = 1", "bank_match_stays"),
            ("UPDATE payments_bankmatch SET payout_id = NULL", "bank_match_stays"),
            ("UPDATE payments_bankmatch SET undone_at = now()", "bank_match_undone"),
            (
                f"{LINES} 'more', booked_on, 5, currency, '', '', '', 'waiting' FROM payments_bankline",
                "bank_lines_whole",
            ),
            (
                f"{LINES} reference, booked_on, 5, currency, '', '', '', 'waiting' FROM payments_bankline",
                "bank_line_unique",
            ),
            (
                f"{MATCHES} 'not_ours', 5, 'person', 'x', '', 1 FROM payments_bankline",
                "bank_match_of_waiting",
            ),
        ],
    )
    def test_what_a_bank_said_and_what_it_was_stays(self, matched, sql, guard):
        assert attack(sql) == guard

    STATEMENT = (
        "INSERT INTO payments_bankstatement (file_id, account_id, reference, first_on, last_on, opening_cents,"
        " closing_cents, is_stated, line_count, lines_cents) SELECT file_id, account_id, {values} FROM"
        " payments_bankstatement"
    )

    @pytest.mark.parametrize(
        ("values", "guard"),
        [
            ("reference, first_on, last_on, 0, 0, true, 0, 0", "bank_statement_unique"),
            ("'b', first_on, last_on, 0, 5, true, 0, 0", "bank_statement_adds_up"),
            ("'b', last_on, first_on - 1, 0, 0, true, 0, 0", "bank_statement_days"),
            ("'b', first_on, last_on, 0, 5, true, 1, 5", "bank_statement_whole"),
        ],
    )
    def test_statements_that_cannot_be(self, matched, values, guard):
        assert attack(self.STATEMENT.format(values=values)) == guard

    MATCH = (
        "INSERT INTO payments_bankmatch (line_id, payout_id, kind, amount_cents, found_by, reason, made_by_id,"
        " undone_because, undone_at) SELECT l.id, {payout}, '{kind}', {cents}, '{found}', '', NULL, '', {undone}"
        " FROM payments_bankline l WHERE l.status = 'waiting'"
    )

    @pytest.mark.parametrize(
        ("values", "guard"),
        [
            ({"cents": 4824}, "bank_match_fits"),
            ({"cents": -4825}, "bank_match_fits"),
            ({"kind": "by_hand"}, "bank_match_kind"),
            ({"kind": "not_ours"}, "bank_match_kind"),
            ({"found": "person"}, "bank_match_is_named"),
            ({"undone": "now()"}, "bank_match_undone"),
            ({"cents": 0, "payout": "NULL", "kind": "bank_fee"}, "bank_match_amount"),
            ({}, "bank_match_payout_once"),
        ],
    )
    def test_matches_that_cannot_be(self, matched, take, values, guard):
        take(csv_of(("2026-11-20", "again", 4825, 104_825)))
        payout = ProviderPayout.objects.get().pk
        if values.get("cents", 1) < 0:
            guard = None  # it goes back: the other direction of the same payout
        sql = self.MATCH.format(
            **{"payout": payout, "kind": "payout", "cents": 4825, "found": "amount", "undone": "NULL", **values}
        )
        assert attack(sql) == guard

    def test_a_line_is_matched_only_when_its_matches_come_to_it(self, take):
        line(take)

        assert attack("UPDATE payments_bankline SET status = 'matched'") == "bank_line_matched_whole"
        assert attack("UPDATE payments_bankline SET status = 'lost'") == "status_map"

    def test_accounts_of_no_currency_or_number(self, bank):
        sql = "INSERT INTO payments_bankaccount (name, number, currency, livemode, layout, is_active) SELECT"
        assert attack(f"{sql} 'b', '12345', 'US', false, '{{}}', true") == "bank_account_currency"
        assert attack(f"{sql} 'b', '1 2', 'usd', false, '{{}}', true") == "bank_account_number"
