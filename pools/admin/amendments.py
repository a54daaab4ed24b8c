"""Amendments: proposed on the add page, decided behind a page that shows the sentences before and after."""

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.widgets import UnfoldAdminTextareaWidget

from accounts.admin.staff import staff
from accounts.models import User
from config.admin import WithRowActions
from config.confirmations import confirmed
from config.errors import DomainError
from config.phrases import tell, tell_of
from pools.admin.made_by_service import MadeByService
from pools.admin.rules_in_words import what_changes
from pools.admin.switch_fields import RULE_FIELDS, filled_in, switch_fields
from pools.admin.switch_fields import tell as tell_form
from pools.models import Amendment, AmendmentStatus, Pool
from pools.services.rules import confirm_amendment, preview_changes, propose_amendment, shown, withdraw_amendment
from pools.services.rules.amendments import LONGEST_REASON

MAY_DECIDE = "pools.change_amendment"
# A confirm page is read by a person: more than these are better decided one by one.
MOST_SHOWN = 5

if TYPE_CHECKING:
    Base = forms.ModelForm[Amendment]
else:
    Base = forms.ModelForm


class ProposalForm(Base):
    """The switches to change, and why."""

    reason = forms.CharField(
        max_length=LONGEST_REASON,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text=_("Every player of the pool reads it."),
    )

    class Meta:
        model = Amendment
        fields = ("pool", "reason")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        pools: Any = self.fields["pool"]
        pools.queryset = Pool.objects.in_play()

    def clean(self) -> dict[str, Any]:
        """Ask the service's own checks."""
        values = super().clean() or self.cleaned_data
        if "pool" in values:
            try:
                preview_changes(pool=values["pool"], changes=filled_in(self, values["pool"].currency))
            except DomainError as refusal:
                tell_form(self, refusal)
        return values

    def _post_clean(self) -> None:
        """Not the model's: the service makes the row, and the database has the last word."""


for _name, _field in switch_fields(of_changes=True).items():
    ProposalForm.base_fields[_name] = ProposalForm.declared_fields[_name] = _field


def what_confirming_does(rows: QuerySet[Amendment]) -> list[str]:
    """The preview of `confirm`: each amendment in the sentences before and after."""
    waiting = rows.filter(status=AmendmentStatus.PROPOSED).select_related("pool").order_by("pk")
    said = [
        tell_of(
            waiting.count(),
            "{count} of {total} waits; the others are refused, and so is your own proposal.",
            "{count} of {total} wait; the others are refused, and so is your own proposal.",
            total=rows.count(),
        )
    ]
    for amendment in waiting[:MOST_SHOWN]:
        said += _told(amendment)
    return [*said, gettext("Rounds that have locked stay as they were. Every player of the pool is told by mail.")]


def what_withdrawing_does(rows: QuerySet[Amendment]) -> list[str]:
    """The preview of `withdraw`."""
    waiting = rows.filter(status=AmendmentStatus.PROPOSED).count()
    return [
        tell_of(
            waiting,
            "{count} of {total} waits; the others are refused.",
            "{count} of {total} wait; the others are refused.",
            total=rows.count(),
        ),
        gettext("The rules stay as they are."),
    ]


def _told(amendment: Amendment) -> list[str]:
    try:
        outcome = preview_changes(pool=amendment.pool, changes=amendment.changes)
    except DomainError as refusal:
        return [tell("{pool}: would be refused now. {sentence}", pool=amendment.pool.name, sentence=refusal.sentence)]
    return [*what_changes(outcome), tell("Why: {reason}", reason=amendment.reason)]


@admin.register(Amendment)
class AmendmentAdmin(WithRowActions, MadeByService):
    """Changes of rules of pools in play; two names each."""

    handbook = "staff/pools#changing-rules-in-play"
    add_form = ProposalForm
    list_display = ("id", "pool", "status", "switches", "proposed_by", "proposed_at", "decided_by", "version")
    list_display_links = ("id", "pool")
    list_select_related = ("pool", "proposed_by", "decided_by", "rules")
    list_filter: ClassVar = (("status", ChoicesDropdownFilter),)
    search_fields = ("pool__name",)
    ordering = ("-id",)
    fields = (
        "pool", "status", "switches", "in_words", "reason", "proposed_by", "proposed_at", "decided_by", "decided_at",
        "version",
    )  # fmt: skip
    readonly_fields = ("switches", "in_words", "version")
    add_fieldsets: ClassVar = (
        (None, {"fields": ("pool", "reason")}),
        (
            _("Switches to change"),
            {
                "fields": RULE_FIELDS,
                "description": _(
                    "What is left empty stays as it is; `none` empties a value. Somebody else has to"
                    " confirm; then the change governs the rounds that have not locked."
                ),
            },
        ),
    )
    actions = ("confirm", "withdraw")

    def describe(self, row: Amendment) -> str:
        """Whose rules, what, and by whom."""
        return f"{row.pool}: {self.switches(row)} ({row.status}), proposed by {row.proposed_by}"

    def make(self, form: Any, by: User) -> Amendment:
        """A proposal."""
        cleaned = form.cleaned_data
        changes = filled_in(form, cleaned["pool"].currency)
        return propose_amendment(pool=cleaned["pool"], changes=changes, reason=cleaned["reason"], by=by)

    @admin.display(description="Switches")
    def switches(self, amendment: Amendment) -> str:
        """What changes, as one writes it on a command line."""
        return ", ".join(f"{key} = {shown(value)}" for key, value in amendment.changes.items())

    @admin.display(description="In words")
    def in_words(self, amendment: Amendment) -> str:
        """The sentences before and after, while it waits."""
        return "\n".join(_told(amendment)) if amendment.status == AmendmentStatus.PROPOSED else "–"

    @admin.display(description="Version")
    def version(self, amendment: Amendment) -> int | None:
        """The version of the rules that it became."""
        return None if amendment.rules is None else amendment.rules.version

    @confirmed("Confirm", permission=MAY_DECIDE, preview=what_confirming_does, done="confirmed", fresh=True)
    def confirm(self, request: HttpRequest, row: Amendment, reason: str) -> None:
        """Make it the rules."""
        confirm_amendment(amendment=row, by=staff(request))

    @confirmed("Withdraw", permission=MAY_DECIDE, preview=what_withdrawing_does, done="withdrawn")
    def withdraw(self, request: HttpRequest, row: Amendment, reason: str) -> None:
        """Take it back."""
        withdraw_amendment(amendment=row, by=staff(request))
