"""What checks and triggers of what goes to accountants are for: the mapping, batches, and what they have of a day."""

from tests.mutation.statements import Attack, Change, Copy

ON_ACCOUNTING: dict[str, dict[str, Attack | list[Attack]]] = {
    "payments_accountmapping": {
        "account_mapping_system": Attack("A system is one of those that there are.", Change("system = 'zz'")),
        "account_mapping_kind": Attack("A kind is one of the chart.", Change("kind = 'zz'")),
        "account_mapping_account": Attack(
            "An account of theirs is no formula, and of one line.", Change("account = '=1+1'")
        ),
        "account_mapping_tax_rate": Attack("Xero wants a tax rate.", Change("tax_rate = ''", "system = 'xero'")),
        "account_mapping_currency": Attack("A currency has its code.", Change("currency = 'US'")),
        "record_mapping: record_mapping": Attack("A change of the mapping is in its history.", Change("account = 'x'")),
    },
    "payments_journalbatch": {
        "journal_batch_system": Attack("A system is one of those that there are.", Change("system = 'zz'")),
        "journal_batch_days": Attack("Days go forward.", Change("first_day = through_day + 1")),
        "journal_batch_not_empty": Attack("A batch has something in it.", Change("lines = 0")),
        "journal_batch_withdrawn_when": Attack(
            "What is withdrawn has a name and an instant.", Change("withdrawn_at = NULL", "status = 'withdrawn'")
        ),
        "journal_batch_two_names": Attack(
            "Nobody withdraws what they made.", Change("withdrawn_by_id = made_by_id", "status = 'withdrawn'")
        ),
        "journal_batch_stays: journal_batch_stays": Attack(
            "A batch, and its file, stays as it was made.", Change("content = '\\x00'")
        ),
    },
    "payments_journalbatchday": {
        "batch_day_forward": Attack("A part of a day has lines.", Change("through_posting = after_posting")),
        "batch_day_follows: batch_day_of_its_batch": Attack(
            "A day is of the system and mode of its batch, which holds.", Copy("holds", {"livemode": "NOT livemode"})
        ),
        "batch_day_follows: batch_day_follows": Attack(
            "A batch begins where the day was exported to.", Copy("holds")
        ),
        "batch_day_stays: batch_day_stays": Attack(
            "What was exported of a day stays, unless its batch is withdrawn.", Change("day = day - 1")
        ),
    },
}  # fmt: skip
