"""Bank debits: begun although the session does not offer them, settled, and returned when they had succeeded."""

from config.local.stripe.banks import ACCOUNT, CURRENCY, FAILURES
from config.local.stripe.commands.bodies import Refused, meant_charge, only, text
from config.local.stripe.objects import debits, sessions
from config.local.stripe.objects.views import present
from config.local.stripe.wire import Json
from config.local.stripe.work import Work


def begin(work: Work, body: Json) -> Json:
    session = open_session(work, text(only(body, session=""), "session"))
    if session["currency"] != CURRENCY:
        raise Refused(f"bank debits are in {CURRENCY} only")
    sessions.debit(work, session, ACCOUNT)
    return present(work, session)


def open_session(work: Work, id: str) -> Json:
    session = work.get("checkout.session", id, param="session")
    if session["status"] != "open":
        raise Refused(f"session {id} is {session['status']}, not open")
    return session


def settle(work: Work, body: Json) -> Json:
    wanted = only(body, session="", outcome="", failure_code="insufficient_funds")
    session = work.get("checkout.session", text(wanted, "session"), param="session")
    outcome = text(wanted, "outcome", choices=debits.OUTCOMES)
    sessions.settle(work, session, outcome, text(wanted, "failure_code", choices=FAILURES))
    return present(work, session)


def give_back(work: Work, body: Json) -> Json:
    """Answers the lost dispute, or the failed charge."""
    wanted = only(
        body, charge=None, payment_intent=None, session=None, failure_code="insufficient_funds", **{"as": "dispute"}
    )
    kind = text(wanted, "as", choices=debits.RETURNS)
    code = text(wanted, "failure_code", choices=FAILURES)
    return present(work, debits.give_back(work, meant_charge(work, wanted), kind=kind, code=code))
