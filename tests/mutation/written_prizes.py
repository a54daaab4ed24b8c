"""What checks and triggers of prizes are for: payouts, where they go, and what became of what was too much."""

from tests.mutation.statements import Attack, Change, Copy

TWO_NAMES = "Nobody signs twice."

ON_PRIZES: dict[str, dict[str, Attack | list[Attack]]] = {
    "payments_payout": {
        "payout_amounts": [
            Attack("No more is withheld than won.", Change("withheld_cents = amount_cents + 1")),
            Attack("No more is paid out than won.", Change("amount_cents = won_cents + 1")),
        ],
        "payout_two_names": Attack(TWO_NAMES, Change("status = 'approved', approved_by_id = requested_by_id")),
        "payout_destination": [
            Attack("By hand it goes to no account.", Change("destination = 'acct_1'", "provider = 'manual'")),
            Attack("A provider sends to an account.", Change("destination = ''", "provider <> 'manual'")),
            Attack("By hand nothing is sent.", Change("status = 'sending'", "provider = 'manual'")),
        ],
        "payout_paid_when": Attack("What is paid has an instant.", Change("paid_at = NULL", "status = 'paid'")),
        "within_prize: payout_within_prize": Attack("No more goes out than was won.", Copy()),
        "within_prize: payout_of_its_prize": Attack(
            "A payout is of the currency of its prize, and replaces one of its own player.",
            Copy(instead={"currency": "'eur'"}),
        ),
        "payout_stays: payout_stays": Attack(
            "What a payout is, and how much, never changes.", Change("amount_cents = amount_cents + 1")
        ),
    },
    "payments_payoutaccount": {
        "payout_account_is_named": Attack("An account has a name.", Change("reference = ''")),
        "payout_account_two_names": Attack(TWO_NAMES, Change("decided_by_id = recorded_by_id", "status = 'confirmed'")),
        "payout_account_not_ones_own": [
            Attack("Nobody writes down an account of their own.", Change("recorded_by_id = player_id")),
            Attack("Nobody confirms an account of their own.", Change("decided_by_id = player_id")),
        ],
        "payout_account_stays: payout_account_stays": Attack(
            "Another account is another row.", Change("reference = 'acct_2'")
        ),
    },
    "payments_prizecorrection": {
        "prize_correction_kind_known": Attack("A kind is one of those that there are.", Change("kind = 'zz'")),
        "prize_correction_of_payout": Attack(
            "What came back is of one payout.", Change("payout_id = NULL", "kind = 'came_back'")
        ),
        "prize_correction_two_names": Attack(
            TWO_NAMES, Change("status = 'done', decided_by_id = requested_by_id", "kind = 'borne'")
        ),
        "prize_correction_stays: prize_correction_stays": Attack(
            "What a correction is, and how much, never changes.", Change("amount_cents = amount_cents + 1")
        ),
    },
    "payments_taxform": {
        "tax_form_tin": Attack("Of a tax number the end alone is kept.", Change("tin_last_four = '123'")),
    },
}
