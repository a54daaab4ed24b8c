"""What happens by itself when the clock gets there: sessions expire, payouts arrive."""

from collections.abc import Callable

from config.local.stripe.work import Work

Action = Callable[[Work, str], None]

ACTIONS: dict[str, Action] = {}


def timer(name: str) -> Callable[[Action], Action]:
    """Registers what `work.schedule(due, name, id)` will run."""

    def register(action: Action) -> Action:
        ACTIONS[name] = action
        return action

    return register


def run_due(work: Work, now: int) -> None:
    """Runs whatever fell due up to `now`, in order, each at its own moment: after a jump of the clock the events
    carry the times at which they would have happened."""
    while row := work.db.execute(
        "SELECT id, due, action, object FROM timer WHERE due <= ? ORDER BY due, id LIMIT 1", (now,)
    ).fetchone():
        work.db.execute("DELETE FROM timer WHERE id = ?", (row["id"],))
        work.now = row["due"]
        ACTIONS[row["action"]](work, row["object"])
    work.now = now


def next_due(work: Work) -> int | None:
    row = work.db.execute("SELECT min(due) AS due FROM timer").fetchone()
    return None if row["due"] is None else int(row["due"])
