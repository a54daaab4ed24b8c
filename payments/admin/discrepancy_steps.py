"""The next step of each kind of doubt, as a way there: to the act that the kind allows, or to the page that has it.

An act is reached by its own address (`…/<row>/do/<act>/`), which shows what it will do before it does it: the very page
that the buttons of a row lead to.
"""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.names import named
from config.words import told
from payments.admin.ways import ROWS, way, way_of_key, way_to
from payments.models import Discrepancy, DiscrepancyKind
from payments.models.discrepancy import OPEN_STATES

LIST = "admin:payments_discrepancy_changelist"
_Kind = DiscrepancyKind

# Kinds that another page of the back office ends, by its words.
_THERE: dict[str, tuple[str | Promise, Callable[[Discrepancy], str]]] = {}


def _leads(label: str | Promise, address: Callable[[Discrepancy], str], *kinds: DiscrepancyKind) -> None:
    _THERE.update(dict.fromkeys(kinds, (label, address)))


def _to_it(row: Discrepancy) -> str:
    kind, _colon, name = row.object_key.partition(":")
    return way_to(kind, name)


def _page(name: str) -> Callable[[Discrepancy], str]:
    return lambda row: reverse(f"admin:{name}")


_leads(_("Say what the line is"), _to_it, _Kind.BANK_UNMATCHED)
_leads(
    _("Import the statement"), _page("payments_bankstatement_take_in"), _Kind.STATEMENT_GAP,
    _Kind.PAYOUT_NOT_IN_BANK,
)  # fmt: skip
_leads(
    _("Look at the tie-outs"), _page("payments_reconciliationrun_finance"), _Kind.CLEARING_TIEOUT_DIFF,
    _Kind.FOREIGN_ACCOUNT, _Kind.MASS_HEALING, _Kind.EVENTS_LOST,
)  # fmt: skip
_leads(
    _("Read the proof of the books"), _page("payments_journalentry_books"), _Kind.BOOKS_BROKEN, _Kind.POT_SHORT,
    _Kind.NOT_BOOKED,
)  # fmt: skip
_leads(_("Read the news that failed"), _to_it, _Kind.POISON_WEBHOOK)
_leads(_("Look at the refused calls"), _page("payments_webhookrefusal_changelist"), _Kind.SIGNATURES)
_leads(
    _("Go to the payouts"), _page("payments_payout_changelist"), _Kind.PRIZE_OVERPAID, _Kind.PAYOUT_FAILED
)  # fmt: skip
_leads(_("Look at the place"), _to_it, _Kind.ENTRY_WITHOUT_PAYMENT)
_leads(_("Decide about the refund"), _to_it, _Kind.EXTERNAL_REFUND)

# Kinds that an act ends, by the button's name.
_ACTS = {
    _Kind.HELD_MONEY: "give_back",
    _Kind.DUPLICATE_PAYMENT: "give_back",
    _Kind.AMOUNT_MISMATCH: "give_back",
    _Kind.CURRENCY_MISMATCH: "give_back",
    _Kind.REFUND_FAILED: "give_back",
    _Kind.PAID_NO_ENTRY: "make_place",
    _Kind.ORPHAN_REFUND: "mark_not_ours",
}
# Any other is asked about again at the provider, which all of them allow; a test holds that.
_ELSE = "ask_again"


def next_step(row: Discrepancy, page: Any) -> SafeString:
    """What is done about it next, and who takes it on where nobody has. Of a closed row nothing. Asks nothing."""
    if row.status not in OPEN_STATES:
        return SafeString("")
    steps = [_step(row, page)]
    if row.owner_id is None:
        steps.append((gettext("Assign to me"), do_address(row.pk, "look_after")))
    return format_html_join(
        "",
        '<div><a href="{}" class="text-primary-700 font-medium whitespace-nowrap dark:text-primary-400">{}</a></div>',
        ((address, label) for label, address in steps),
    )


def _step(row: Discrepancy, page: Any) -> tuple[str, str]:
    if (there := _THERE.get(row.kind)) is not None and (address := there[1](row)):
        return str(there[0]), address
    name = act_of(row.kind)
    return named(getattr(page, name).short_description), do_address(row.pk, name)


def act_of(kind: str) -> str:
    """The name of the act that ends doubts of a kind, where no other page does."""
    return _ACTS.get(DiscrepancyKind(kind), _ELSE)


def do_address(row_id: int, name: str) -> str:
    """Where an act on a row says what it will do."""
    return reverse("admin:payments_discrepancy_do", args=[row_id, name])


def do_page(page: Any, request: HttpRequest, row_id: int, name: str) -> HttpResponseBase:
    """What the act will do; then it is done. Refuses whoever may not, and what the row does not offer (any more)."""
    if not page.has_view_permission(request):
        raise PermissionDenied
    if name not in page.actions:
        raise Http404
    if name not in page.get_actions(request):
        raise PermissionDenied
    rows = page.get_queryset(request).filter(pk=row_id)
    if not rows.exists():
        raise Http404
    if not page.offers(request, name, str(row_id)):
        said = gettext("This cannot be done to it as it is. Look at the row: it says what can.")
        page.message_user(request, said, messages.WARNING)
        return HttpResponseRedirect(reverse("admin:payments_discrepancy_change", args=[row_id]))
    answer: HttpResponseBase | None = getattr(page, name)(request, rows)
    if isinstance(answer, TemplateResponse):
        answer.context_data = {**(answer.context_data or {}), "leave": reverse(LIST)}
    return HttpResponseRedirect(reverse(LIST)) if answer is None else answer


def sides(row: Discrepancy) -> SafeString:
    """The ways to both sides: to what it is about, and to whatever else its facts name."""
    others = [(kind, str(value)) for kind, value in row.details.items() if kind in ROWS and str(value).isdecimal()]
    about, ways = way_of_key(row.object_key), [way(kind, name) for kind, name in others[:3]]
    # A name of ours that leads nowhere says nothing beside those that do.
    shown = [about, *ways] if isinstance(about, SafeString) or not ways else ways
    return format_html_join("", "<div>{}</div>", ((one,) for one in dict.fromkeys(shown)))


def expected_and_found(row: Discrepancy) -> SafeString | str:
    """What we expect against what the other side says, of each fact in which they differ; else what one side has."""
    ours, theirs = (told(facts, row.currency) if isinstance(facts, dict) else {} for facts in (row.ours, row.theirs))
    differing = [name for name in ours if name in theirs and ours[name] != theirs[name]]
    lines = [(name, ours[name], theirs[name]) for name in differing[:3]]
    if lines:
        return format_html_join("", '<div><span class="text-sm">{}</span> {} → <strong>{}</strong></div>', lines)
    if ours and not theirs:
        return format_html("{} → <strong>{}</strong>", _first(ours), gettext("nothing"))
    if theirs and not ours:
        return format_html("{} → <strong>{}</strong>", gettext("nothing"), _first(theirs))
    return ""


def _first(facts: dict[str, str]) -> str:
    """The fact that says most: how much it is."""
    return next((value for name, value in facts.items() if "amount" in name), next(iter(facts.values())))
