"""Versions of rules to look at, in words; a draft's are revised on the add page."""

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from config.errors import DomainError
from pools.admin.made_by_service import MadeByService
from pools.admin.rules_in_words import rules_in_words
from pools.admin.switch_fields import RULE_FIELDS, filled_in, switch_fields, tell
from pools.models import Pool, PoolStatus, Rules
from pools.queries import current_rules
from pools.services.rules import check_rules, contest_of, revise_rules, switches_of

if TYPE_CHECKING:
    Base = forms.ModelForm[Rules]
else:
    Base = forms.ModelForm


class RevisionForm(Base):
    """New values for switches of a draft; what is left empty stays."""

    class Meta:
        model = Rules
        fields = ("pool",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        pools: Any = self.fields["pool"]
        pools.queryset = Pool.objects.filter(status=PoolStatus.DRAFT)

    def clean(self) -> dict[str, Any]:
        """Ask the service's own checks."""
        values = super().clean() or self.cleaned_data
        if "pool" in values:
            pool = values["pool"]
            try:
                check_rules(
                    {**switches_of(current_rules(pool)), **filled_in(self, pool.currency)}, contest=contest_of(pool)
                )
            except DomainError as refusal:
                tell(self, refusal)
        return values

    def _post_clean(self) -> None:
        """Not the model's: the service makes the row, and the database has the last word."""


for _name, _field in switch_fields(of_changes=True).items():
    RevisionForm.base_fields[_name] = RevisionForm.declared_fields[_name] = _field


@admin.register(Rules)
class RulesAdmin(MadeByService):
    """Versions of rules; written once."""

    handbook = "staff/pools#rules"
    add_form = RevisionForm
    list_display = (
        "pool", "version", "effective_round_number", "strikes", "tie", "missed_pick", "cancelled_game", "all_out",
    )  # fmt: skip
    list_select_related = ("pool",)
    search_fields = ("pool__name",)
    ordering = ("-pool", "-version")
    fields = (
        "pool", "version", "effective_round_number", "in_words", *Rules.KEYS, "created_by", "confirmed_by",
        "created_at",
    )  # fmt: skip
    readonly_fields = ("in_words",)
    add_fieldsets: ClassVar = (
        (
            _("Revise the rules of a draft"),
            {
                "fields": ("pool", *RULE_FIELDS),
                "description": _(
                    "What is left empty stays as it is; `none` empties a value. Rules of a pool in play"
                    " change by amendments."
                ),
            },
        ),
    )

    def make(self, form: Any, by: User) -> Rules:
        """A new version of a draft's rules."""
        pool = form.cleaned_data["pool"]
        return revise_rules(pool=pool, changes=filled_in(form, pool.currency), by=by)

    @admin.display(description="In words")
    def in_words(self, rules: Rules) -> str:
        """What players read."""
        return rules_in_words(rules, rules.pool)
