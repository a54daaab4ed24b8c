"""What checks and triggers of exports, schedules and closed months are for."""

from tests.mutation.statements import Attack, Change, Copy

DIGEST = "repeat('0', 64)"
CLOSED = f"status = 'closed', closed_at = now(), digest = {DIGEST}"

ON_EXPORTS: dict[str, dict[str, Attack | list[Attack]]] = {
    "payments_export": {
        "export_two_names": Attack(
            "Nobody approves their own export.", Change("requested_by_id = 1, approved_by_id = 1")
        ),
        "export_is_approved": Attack(
            "What needs a second name is not written without it.",
            Change("needs_approval = true, approved_by_id = NULL, status = 'queued'"),
        ),
        "export_written_is_whole": Attack(
            "What is written has a checksum, a size and a place.", Change("sha256 = ''", "status = 'done'")
        ),
        "export_of_staff_is_named": Attack(
            "Who asks for a report is named.", Change("origin = 'staff', requested_by_id = NULL")
        ),
        "export_of_a_schedule": Attack(
            "What a schedule wrote says of which period.", Change("period_first = NULL", "schedule_id IS NOT NULL")
        ),
        "export_is_marked": Attack(
            "What names people says for whom it was written.",
            Change("is_personal = true, is_kept = true, watermark = ''", "watermark = ''"),
        ),
        "export_stays: export_stays": [
            Attack("What an export is of never changes.", Change("report = 'other'")),
            Attack("What it was made as of never changes.", Change("bounds = '{}'", "as_of IS NOT NULL")),
            Attack("What came out never changes.", Change("rows = rows + 1", "status = 'done'")),
        ],
    },
    "payments_exportdownload": {
        "export_link_has_nonce": Attack(
            "A link is known by its nonce.", Copy(instead={"way": "'link'", "nonce": "NULL"})
        ),
    },
    "payments_exportschedule": {
        "schedule_hour": Attack("A day has 24 hours.", Change("hour = 24")),
        "schedule_months_begin_on_the_first": Attack(
            "A month begins on its first day.", Change("every = 'month', next_first = '2026-03-02'")
        ),
        "schedule_weeks_begin_on_monday": Attack(
            "A week begins on Monday.", Change("every = 'week', next_first = '2026-03-03'")
        ),
        "schedule_stopped_for_a_reason": Attack(
            "What goes on has no reason for which it stopped.", Change("stopped_because = 'x'", "status = 'active'")
        ),
        "schedule_stays: schedule_stays": [
            Attack("A schedule is stopped and another made, never changed.", Change("report = 'other'")),
            Attack("It never goes back in time.", Change("next_first = next_first - 1")),
        ],
    },
    "payments_periodclose": {
        "period_two_names": Attack("Nobody closes what they proposed.", Change("closed_by_id = proposed_by_id")),
        "period_closed_is_whole": Attack(
            "What is closed has a name, a time and a seal.", Change("digest = ''", "status = 'closed'")
        ),
        "period_is_a_month": Attack("A month begins on its first day.", Change("first_day = first_day + 1")),
        "period_follows: period_follows": Attack(
            "Months are closed one after another, each with the seal of the one before.",
            Change(f"{CLOSED}, previous_digest = {DIGEST}", "status = 'proposed'"),
        ),
        "period_stays: period_stays": [
            Attack("A closed month stays as it was closed.", Change("trial_balance = '[]'", "status = 'closed'")),
            Attack("A proposal is of its month.", Change("proposed_at = now(), first_day = '2026-07-01'")),
        ],
    },
}
# Of a table that has other guards besides.
OF_CLOSED_MONTHS = Attack(
    "An entry belongs into the first open day, not into a closed month.",
    Copy(instead={"finance_date": "'2026-01-15'", "source_id": "'late'", "reverses_id": "NULL"}),
)
