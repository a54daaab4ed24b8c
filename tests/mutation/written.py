"""What checks and triggers are for, by the name of their refusals: no catalog tells."""

from tests.mutation.statements import Attack, Change, Copy, Raw
from tests.mutation.written_accounting import ON_ACCOUNTING
from tests.mutation.written_bank import ON_BANKS
from tests.mutation.written_exports import OF_CLOSED_MONTHS, ON_EXPORTS
from tests.mutation.written_prizes import ON_PRIZES
from tests.mutation.written_runs import ON_RUNS

OTHER_MODE = "livemode = NOT livemode"
TWO_NAMES = "Nobody signs twice."
A_LIVING_ENTRY = "id IN (SELECT request_id FROM entries_entry WHERE status <> 'void')"
ENDED = "pool_id IN (SELECT id FROM pools_pool WHERE ended_round_number > 0)"
EXCLUDE = (
    "INSERT INTO accounts_exclusion (user_id, kind, days, reason) SELECT id, 'cooling_off', 7, '' FROM accounts_user"
)
ANOTHER_TRANSACTION = "(pg_current_xact_id()::text::bigint - 1)::text::xid8"

# Table → name of a check, or "trigger: name of its refusal" → attack.
ATTACKS: dict[str, dict[str, Attack | list[Attack]]] = {
    "config_idempotencykey": {
        "idempotency_key_answered_or_leased": Attack(
            "A key has an answer, or somebody is at it.", Change("status_code = NULL, leased_until = NULL")
        ),
    },
    "config_outboxmessage": {
        "outbox_one_end": Attack("A message is done or given up.", Change("done_at = now(), dead_at = now()")),
    },
    "entries_entry": {
        "entry_eliminated_has_round": Attack(
            "Who is out fell in a round, and for a reason.",
            Change("status = 'eliminated', eliminated_round_number = NULL"),
        ),
        "entry_active_is_clean": Attack("Who is in has no prize yet.", Change("status = 'active', prize_cents = 1")),
        "before_its_round_locks: entry_before_lock": Attack(
            "Nobody comes in for a round that has locked.",
            Copy(ENDED, {"first_round_number": "2"}),
        ),
        "born_of_paid_request: entry_needs_payment": Attack(
            "An entry is of an approved, paid request of the same player, pool and number.",
            Copy(instead={"number": "number + 1"}),
        ),
        "not_for_excluded: entry_of_excluded": Attack("Who is excluded gets no entry.", Copy(), before=(EXCLUDE,)),
        "void_without_money: entry_needs_payment": Attack(
            "A place whose fee went back is not given again.",
            Change("status = 'active'", "status = 'void'"),
            before=(
                "ALTER TABLE entries_request DISABLE TRIGGER USER",
                "UPDATE entries_entry SET status = 'void' WHERE id = (SELECT min(id) FROM entries_entry)",
                "UPDATE entries_request SET payment_status = 'refunded'",
            ),
        ),
        "mark_insert: mark_insert": Attack("A new entry is settled.", Copy()),
        "mark_void: mark_void": Attack("A pool that loses an entry is settled.", Change("status = 'void'")),
        "tally_insert: tally_insert": Attack("A new entry is counted.", Copy()),
        "tally_update: tally_update": Attack("An entry is counted where it stands.", Change("status = 'void'")),
        "pages_insert: pages_insert": Attack("A new entry shows on the pages of its pool.", Copy()),
        "pages_update: pages_update": Attack("What becomes of an entry shows there.", Change("status = 'void'")),
    },
    "entries_reprieve": {
        "reprieve_rounds_order": Attack(
            "A return is to a later round.", Change("before_round_number = from_round_number")
        ),
        "reprieve_has_one_cause": Attack(
            "A return was paid for, or decided by a ruling.", Change("request_id = NULL, ruling_id = NULL")
        ),
        "reprieve_revoked_has_time": Attack(
            "What is revoked has a time.", Change("revoked_by_id = 1, revoked_at = NULL")
        ),
        "reprieve_guard: reprieve_stays": Attack(
            "A return is revoked, never rewritten.", Change("before_round_number = before_round_number + 1")
        ),
        "reprieve_guard: reprieve_needs_payment": Attack(
            "Buying back in needs a paid request for just that.",
            Copy("request_id IS NOT NULL", {"before_round_number": "before_round_number + 1"}),
        ),
        "before_its_round_locks: reprieve_before_lock": Attack(
            "Nobody buys back into a round that has locked.",
            Copy("request_id IS NOT NULL", {"before_round_number": "1"}),
        ),
        "mark_for_settlement: mark_for_settlement": Attack("A return is settled.", Copy()),
        "pages_insert: pages_insert": Attack("A return shows on the pages of its pool.", Copy()),
        "pages_update: pages_update": Attack("One that is revoked shows, too.", Change("revoked_at = now()")),
    },
    "entries_request": {
        "request_approved_has_fee": Attack(
            "What is approved has a price.", Change("status = 'approved', fee_cents = NULL")
        ),
        "request_buy_back_names_entry": Attack(
            "Buying back in is for an entry.", Change("kind = 'buy_back', bought_entry_id = NULL")
        ),
        "request_number_positive": Attack("Numbers begin with 1.", Change("number = 0")),
        "request_payment_known": Attack(
            "A state of payment is one of those that there are.", Change("payment_status = 'zz'")
        ),
        "request_unpaid_has_pay_by": Attack(
            "Who owes has until a certain time.",
            Change("status = 'approved', payment_status = 'pending', pay_by = NULL"),
        ),
        "request_paid_is_approved": Attack(
            "Only what is approved is paid, or paid back.", Change("status = 'pending', payment_status = 'completed'")
        ),
        "request_waiver_is_named": Attack(
            "Who waives a fee says so, and why.", Change("waived_by_id = 1, waiver_reason = ''")
        ),
        "fee_stays: request_fee_fixed": Attack(
            "The price is fixed with the approval.", Change("fee_cents = fee_cents + 1", "fee_cents IS NOT NULL")
        ),
        "entry_keeps_request: request_has_entry": [
            Attack(
                "The money of a living entry is not taken from under it.",
                Change("payment_status = 'refunded'", A_LIVING_ENTRY),
            ),
            Attack(
                "The money of a return that counts is not taken from under it.",
                Change("payment_status = 'refunded'", "id IN (SELECT request_id FROM entries_reprieve)"),
            ),
        ],
        "refund_is_final: request_refund_is_final": Attack(
            "A fee that went back stays back.",
            Change("payment_status = 'completed'", "payment_status = 'refunded'"),
            before=("UPDATE entries_request SET payment_status = 'refunded' WHERE payment_status = 'completed'",),
        ),
        "not_for_excluded: request_of_excluded": Attack("Who is excluded gets no request.", Copy(), before=(EXCLUDE,)),
        "number_within_limit: request_identity": Attack(
            "Whose request it is never changes.", Change("number = number + 1")
        ),
        "number_within_limit: request_of_its_entry": Attack(
            "A player buys back in with an entry of their own.", Copy("kind = 'buy_back'", {"number": "number + 1"})
        ),
        "number_within_limit: request_number_limit": Attack(
            "Nobody has more places than the pool allows.", Copy("kind = 'entry'", {"number": "99"})
        ),
        "mark_for_settlement: mark_for_settlement": Attack(
            "A pot that was shared out is shared out anew.",
            Change("payment_status = 'refunded'", f"payment_status = 'completed' AND {ENDED}"),
        ),
        "tally_insert: tally_insert": Attack("A paid fee is counted.", Copy("payment_status = 'completed'")),
        "tally_update: tally_update": Attack(
            "A fee that goes back is counted.", Change("payment_status = 'refunded'", "payment_status = 'completed'")
        ),
    },
    "payments_account": {
        "account_of_the_chart": Attack("An account is of the chart.", Change("normal_side = -normal_side")),
    },
    "payments_cancellation": {
        "cancellation_has_reason": Attack("Whoever cancels says why.", Change("reason = ''")),
        "cancellation_two_names": Attack(
            TWO_NAMES, Change("status = 'running', decided_by_id = proposed_by_id, decided_at = now()")
        ),
    },
    "payments_currency": {
        "currency_code": Attack("A currency is called as ISO 4217 calls it.", Change("code = upper(code)")),
        "currency_exponent": Attack("A currency has 0, 2 or 3 decimal places.", Change("exponent = 4")),
    },
    "payments_discrepancy": {
        "discrepancy_closed_with_reason": Attack("What is closed says why.", Change("status = 'resolved'")),
        "discrepancy_stays: discrepancy_closed_stays": Attack(
            "What is closed stays as it was closed.", Change("resolution = 'another'", "status = 'resolved'")
        ),
        "discrepancy_stays: discrepancy_stays": Attack(
            "What it is about never changes.", Change("object_key = 'receipt:1'", "status = 'open'")
        ),
        "written_off_by_two: discrepancy_written_off_by_two": Attack(
            "It is written off by two people.",
            Change("status = 'written_off', closed_at = now(), resolution = 'gone'", "status = 'open'"),
        ),
    },
    "payments_discrepancyact": {
        "discrepancy_act_known": Attack("An act is one of those that there are.", Change("act = 'zz'")),
    },
    "payments_dispute": {
        "dispute_stays: dispute_stays": Attack("What a dispute is about never changes.", Change(OTHER_MODE)),
    },
    "payments_evidence": {"evidence_size": Attack("A scan has a size.", Change("size = 0"))},
    "payments_foreignobject": {
        "foreign_has_reason": Attack("Somebody says why it is not ours.", Change("reason = ''")),
        "foreign_money_is_booked": Attack("What was moved is booked.", Change("entry_id = NULL")),
        "foreign_found_is_named": Attack(
            "What is ours after all says who found it.", Change("status = 'ours'", "status = 'foreign'")
        ),
        "foreign_begins: foreign_begins": Attack(
            "A mark begins with the entry that books it.",
            Copy("entry_id IS NOT NULL", {"amount_cents": "amount_cents + 1"}),
        ),
        "foreign_stays: foreign_stays": Attack("What was marked is kept as it was.", Change("amount_cents = 1")),
        "foreign_stays: foreign_is_booked_back": Attack(
            "What is ours after all is booked back.", Change("status = 'ours'", "status = 'foreign'")
        ),
    },
    "payments_journalentry": {
        "journal_balanced: journal_balanced": Attack("An entry has lines.", Copy(instead={"source_id": "'raw'"})),
        "journal_balanced: journal_sealed": Attack(
            "An entry names its own transaction.", Copy(instead={"source_id": "'raw'", "txid": ANOTHER_TRANSACTION})
        ),
    },
    "payments_manualrecord": {
        "manual_has_reference": Attack("What passed by hand has a reference.", Change("reference = ''")),
        "manual_is_about_one_thing": Attack(
            "It is a payment's, a refund's, a payout's or a correction's.",
            Change("payment_id = NULL, refund_id = NULL, payout_id = NULL, correction_id = NULL"),
        ),
        "manual_two_names": Attack(
            TWO_NAMES, Change("status = 'confirmed', decided_by_id = recorded_by_id, decided_at = now()")
        ),
        "manual_stays: manual_stays": Attack("What was written never changes.", Change("note = 'another'")),
    },
    "payments_movement": {
        "movement_net": Attack("A movement adds up.", Change("net_cents = net_cents + 1")),
    },
    "payments_payment": {
        "amount_never_changes: payment_amount_fixed": Attack(
            "What a payment is for, and how much, never changes.", Change("amount_cents = amount_cents + 1")
        ),
        "success_has_receipt: payment_needs_receipt": Attack(
            "A payment that succeeded has its receipt.", Change("status = 'succeeded'", "status = 'open'")
        ),
    },
    "payments_posting": {
        "posting_amount": Attack("No line is of nothing.", Change("amount = 0")),
        "posting_of_its_entry": Attack("A line is of its entry's mode and currency.", Change(OTHER_MODE)),
        "posting_on_its_account": Attack("A line is of its account's mode and currency.", Change(OTHER_MODE)),
        "journal_sealed: journal_balanced": Attack("Lines add up to nothing.", Copy()),
        "pages_insert: pages_insert": Attack(
            "What reaches a pot shows on the page of its pool.",
            Copy("account_id IN (SELECT id FROM payments_account WHERE kind = 'prize_pot')"),
        ),
        "journal_sealed: journal_sealed": Attack(
            "No line is added to an entry that was committed.",
            Raw(
                "INSERT INTO {table} (journal_entry_id, account_id, currency_id, livemode, amount)"
                " SELECT journal_entry_id, account_id, currency_id, livemode, amount FROM {table}"
                " WHERE journal_entry_id = (SELECT min(id) FROM payments_journalentry)"
            ),
            before=(
                "ALTER TABLE payments_journalentry DISABLE TRIGGER USER",
                f"UPDATE payments_journalentry SET txid = {ANOTHER_TRANSACTION}",
            ),
        ),
    },
    "payments_instrument": {
        "instrument_named": Attack("What somebody paid with has a name.", Change("fingerprint = ''")),
    },
    "payments_receipt": {
        "receipt_allocated_has_entry": Attack(
            "Money that counts has a place.", Change("status = 'allocated', entry_id = NULL")
        ),
        "receipt_unapplied_has_reason": Attack(
            "Money that waits says why.", Change("status = 'unapplied', entry_id = NULL, unapplied_because = ''")
        ),
        "money_never_changes: receipt_fixed": Attack(
            "A receipt is never edited.", Change("amount_cents = amount_cents + 1")
        ),
        "pays_its_own_request: receipt_of_its_payment": Attack(
            "Money is of its payment's provider and mode.", Copy(instead={"livemode": "NOT livemode"})
        ),
        "pays_its_own_request: receipt_of_its_request": Attack(
            "Money pays the entry of its own request.",
            Copy("status = 'unapplied'", {"entry_id": "(SELECT min(id) FROM entries_entry)"}),
        ),
        "pays_its_own_request: receipt_one_per_request": Attack(
            "A request is paid once.", Copy("status = 'allocated'", {"charge_id": "'ch_another'"})
        ),
        "manual_money_is_confirmed: receipt_of_two_names": Attack(
            "Money by hand counts once two people have signed for it.",
            Copy("provider <> 'manual'", {"provider": "'manual'"}),
        ),
    },
    "payments_refund": {
        "refund_is_approved": Attack(
            "What needs a second name does not go without it.",
            Change("needs_approval = true, status = 'sending', approved_by_id = NULL"),
        ),
        "refund_of_staff_is_named": Attack("Who gives money back says why.", Change("origin = 'staff', reason = ''")),
        "refund_replacement_is_said": Attack(
            "What is sent again is nobody else's money.", Change("taken_from = 'house'", "replaces_id IS NOT NULL")
        ),
        "refund_two_names": Attack(TWO_NAMES, Change("requested_by_id = 1, approved_by_id = 1")),
        "within_receipt: refund_within_receipt": Attack(
            "No more goes back than came.",
            Copy(instead={"amount_cents": "1000000", "status": "'sending'"}),
        ),
        "within_receipt: refund_of_its_receipt": Attack(
            "A refund is of its receipt's money.", Copy("replaces_id IS NULL", {"livemode": "NOT livemode"})
        ),
        "within_receipt: refund_begins": Attack(
            "A refund begins as a wish or a decision.",
            Copy("replaces_id IS NULL", {"amount_cents": "1", "status": "'succeeded'"}),
        ),
        "refund_stays: refund_stays": Attack(
            "What a refund is, and how much, never changes.", Change("amount_cents = amount_cents + 1")
        ),
    },
    "payments_taxyear": {
        "tax_year_withholding": Attack("No more is withheld than all.", Change("withholding_bp = 10001")),
    },
    "payments_writeoff": {
        "write_off_of_something": Attack("It is about something.", Change("amount_cents = 0")),
        "write_off_has_reason": Attack("Somebody says why.", Change("reason = ''")),
        "write_off_two_names": Attack(TWO_NAMES, Change("decided_by_id = requested_by_id", "status = 'approved'")),
        "write_off_is_booked": Attack("What is approved is booked.", Change("entry_id = NULL", "status = 'approved'")),
        "write_off_begins: write_off_begins": Attack("It begins as a wish.", Copy("status = 'approved'")),
        "write_off_begins: write_off_of_an_open_one": Attack(
            "Only what is open is written off.", Copy("status = 'approved'", {"status": "'requested'"})
        ),
        "write_off_stays: write_off_stays": Attack(
            "What was asked for and decided never changes.", Change("amount_cents = amount_cents + 1")
        ),
        "write_off_stays: write_off_of_its_entry": Attack(
            "It is booked by an entry of its own.",
            Change("entry_id = (SELECT min(id) FROM payments_journalentry)", "status = 'requested'"),
        ),
    },
    "pools_pool": {
        "pool_capacity_positive": Attack("A pool has a place.", Change("capacity = 0")),
        "pool_chargeback_bearer_known": Attack("Who bears a lost dispute is said.", Change("chargeback_bearer = 'zz'")),
        "pool_currency_code": Attack("A currency is called as ISO 4217 calls it.", Change("currency = 'USD'")),
        "pool_first_round_positive": Attack("Rounds begin with 1.", Change("first_round_number = 0")),
        "pool_limit_positive": Attack("A player may have a place.", Change("max_entries_per_user = 0")),
        "pool_rounds_order": Attack("A pool has a round.", Change("last_round_number = first_round_number - 1")),
        "currency_fixed: pool_currency_fixed": Attack(
            "The currency of a pool that is no draft is fixed.", Change("currency = 'eur'", "status <> 'draft'")
        ),
        "pages_update: pages_update": Attack("An edited pool shows as it is.", Change("name = name || '!'")),
        "tells_status: tells_status": Attack(
            "That a pool ends is told to whoever listens.",
            Change("status = 'cancelled'", "status NOT IN ('draft', 'cancelled')"),
        ),
    },
}
ATTACKS.update(ON_PRIZES)
ATTACKS.update(ON_ACCOUNTING)
ATTACKS.update(ON_RUNS)
ATTACKS.update(ON_EXPORTS)
ATTACKS.update(ON_BANKS)
ATTACKS["payments_journalentry"]["journal_period_open: journal_period_open"] = OF_CLOSED_MONTHS
