"""What checks and triggers of banks, and of payouts on their way to them, are for."""

from tests.mutation.statements import Attack, Change, Copy

WAITS = "(SELECT id FROM payments_bankline WHERE status = 'waiting' LIMIT 1)"
OF_A_PAYOUT = "payout_id IS NOT NULL"

ON_BANKS: dict[str, dict[str, Attack | list[Attack]]] = {
    "payments_bankaccount": {
        "bank_account_currency": Attack("A currency is three small letters.", Change("currency = 'U$D'")),
        "bank_account_number": Attack("A number is letters and digits.", Change("number = 'a b'")),
        "bank_account_stays: bank_account_stays": Attack(
            "With statements it keeps its number, currency and mode.", Change("currency = 'eur'")
        ),
    },
    "payments_bankfile": {
        "bank_file_size": Attack("A file has something in it.", Change("size = 0")),
        "bank_file_format": Attack("A format is one that can be read.", Change("format = 'zz'")),
    },
    "payments_bankstatement": {
        "bank_statement_adds_up": Attack("The lines lead from opening to closing.", Change("closing_cents = 7")),
        "bank_statement_days": Attack("It ends after it begins.", Change("first_on = last_on + 1")),
        "bank_statement_whole: bank_statement_whole": Attack("It has the lines that it says.", Copy()),
    },
    "payments_bankline": {
        "bank_line_status": Attack("A status is one of those that there are.", Change("status = 'zz'")),
        "bank_line_amount": Attack("A line moves something.", Change("amount_cents = 0")),
        "bank_line_stays: bank_line_stays": Attack("What the bank said stays.", Change("amount_cents = 7")),
        "bank_line_matched_whole: bank_line_matched_whole": [
            Attack("A line is matched with all of it.", Change("status = 'matched'", "status = 'waiting'")),
            Attack("What is matched does not wait.", Change("status = 'waiting'", "status = 'matched'")),
        ],
        "bank_lines_whole: bank_lines_whole": Attack("No line is added later.", Copy()),
    },
    "payments_bankmatch": {
        "bank_match_kind": Attack("It names what its kind says.", Change("kind = 'not_ours'", OF_A_PAYOUT)),
        "bank_match_amount": Attack("It is of something.", Change("amount_cents = 0")),
        "bank_match_is_named": Attack(
            "What a person says has a name and a reason.", Change("found_by = 'person'", "made_by_id IS NULL")
        ),
        "bank_match_undone": Attack("What is undone has a name and a reason.", Change("undone_at = now()")),
        "bank_match_fits: bank_match_of_waiting": Attack("Only a line that waits is matched.", Copy()),
        "bank_match_fits: bank_match_undone": Attack(
            "A match begins as one.", Copy(instead={"line_id": WAITS, "undone_at": "now()"})
        ),
        "bank_match_fits: bank_match_fits": [
            Attack("It is of the amount of what it names.", Copy(OF_A_PAYOUT, {"line_id": WAITS, "amount_cents": "1"})),
            Attack(
                "Money by hand that did not come back goes one way.",
                Copy("record_id IS NOT NULL", {"line_id": WAITS, "amount_cents": "-amount_cents"}),
            ),
        ],
        "bank_match_stays: bank_match_stays": Attack("It stays as it was made.", Change("amount_cents = 7")),
    },
    "payments_providerpayout": {
        "provider_payout_status": Attack("A status is one of those that there are.", Change("status = 'zz'")),
        "provider_payout_amount": Attack("It is of something.", Change("amount_cents = 0")),
        "provider_payout_stays: provider_payout_stays": Attack("It stays what it is.", Change("amount_cents = 7")),
    },
    "payments_providerpayoutitem": {
        "payout_item_fits: payout_item_fits": Attack(
            "An item is of the currency of its payout.",
            Copy(instead={"payout_id": "(SELECT id FROM payments_providerpayout WHERE currency = 'eur')"}),
        ),
    },
}
