"""What staff may do to a row as it is: what the table of dispositions says of its kind, while it is open."""

from config.errors import Code, Conflict
from config.phrases import Name, phrase
from payments.models import Discrepancy
from payments.models.discrepancy import OPEN_STATES
from payments.reconciliation.dispositions import Action, disposition, is_allowed


def allowed_actions(row: Discrepancy) -> tuple[Action, ...]:
    """In the order of the table; none for a row that is closed."""
    return disposition(row.kind).actions if row.status in OPEN_STATES else ()


def refuse_action(row: Discrepancy, action: Action) -> None:
    """Refuses (INVALID_TRANSITION) what the table does not allow to a row of this kind."""
    if not is_allowed(row.kind, action):
        done = action.value.replace("_", " ")
        raise Conflict(
            Code.INVALID_TRANSITION,
            phrase(
                "{kind}: there is no {done} for it. {advice}",
                kind=Name(row.get_kind_display()),
                done=Name(done),
                advice=disposition(row.kind).advice,
            ),
            {"kind": row.kind, "allowed": [str(one) for one in allowed_actions(row)]},
        )
