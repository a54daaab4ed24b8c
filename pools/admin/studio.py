"""The studio: a new pool from a template, or from a pool of an earlier season, in three steps of plain forms.

What it begins with; its terms; and then everything as players will read it, before the draft is made.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as told_in
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop
from unfold.widgets import UnfoldAdminRadioSelectWidget, UnfoldAdminSelectWidget

from accounts.admin.staff import staff
from config.admin import RowLink, list_button
from config.errors import DomainError
from config.handbook import helped_by
from config.money import to_decimal
from config.phrases import shown_amount
from config.row_numbers import row_number
from pools.admin.made_by_service import MadeByService
from pools.admin.pool_form import FEE, FEE_CENTS
from pools.admin.rounds_in_zones import rounds_in_zones
from pools.admin.rules_in_words import rules_in_words
from pools.admin.switch_fields import RULE_FIELDS, tell, written
from pools.models import Competition, Pool
from pools.queries import current_rules
from pools.services.pools import draft_of
from pools.services.rules import switches_of
from pools.services.rules.templates import TEMPLATES

MAY_MAKE = "pools.add_pool"
# What an earlier season's pool hands on with its rules: its money, its places, and who may come in. No dates, no name.
HANDED_ON = (
    FEE_CENTS, "currency", "capacity", "max_entries_per_user", "pay_within_hours", "minimum_age",
    "suspended_may_pick", "chargeback_bearer",
)  # fmt: skip
SECTIONS = (
    (_("The pool"), ("name", "description")),
    (_("Money and places"), (FEE, "currency", "capacity", "max_entries_per_user", "pay_within_hours")),
    (_("Times"), ("first_round_number", "last_round_number", "registration_closes_at")),
    (_("Who may come in"), ("minimum_age", "countries")),
    (_("Disputed payments"), ("suspended_may_pick", "chargeback_bearer")),
)


class StartForm(forms.Form):
    """What the new pool begins with, and the competition that it plays."""

    template = forms.ChoiceField(
        label=_("Template"),
        choices=[(key, template.name) for key, template in TEMPLATES.items()],
        widget=UnfoldAdminRadioSelectWidget(),
        initial="classic",
    )
    competition = forms.ModelChoiceField(
        label=_("Competition"), queryset=Competition.objects.order_by("-pk"), widget=UnfoldAdminSelectWidget()
    )

    def __init__(self, *args: Any, source: Pool | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if source is not None:
            del self.fields["template"]
            # A pool of the same season again would be another contest.
            competitions: Any = self.fields["competition"]
            competitions.queryset = competitions.queryset.exclude(pk=source.competition_id)

    def clean_competition(self) -> Competition:
        """One that has rounds to play."""
        competition: Competition = self.cleaned_data["competition"]
        if not competition.rounds.exists():
            raise forms.ValidationError(_("It has no rounds yet. Import its schedule first."))
        return competition


@dataclass(frozen=True)
class Start:
    """Where a new pool begins: its competition, and the template or the pool that it is made after."""

    competition: Competition
    template: str
    source: Pool | None

    def initial(self) -> dict[str, Any]:
        """What the form is filled in with."""
        if self.source is not None:
            fields = {name: getattr(self.source, name) for name in HANDED_ON}
            fields["countries"] = list(self.source.countries)
            switches = switches_of(current_rules(self.source))
        else:
            template = TEMPLATES[self.template]
            fields, switches = dict(template.fields), template.switches(self.competition)
        if fee := fields.pop(FEE_CENTS, 0):
            fields[FEE] = to_decimal(fee, fields["currency"])
        return fields | written(switches, fields.get("currency", Pool().currency))

    def cautions(self) -> list[str | Promise]:
        """What the competition lacks for the template."""
        return [] if self.source is not None else TEMPLATES[self.template].cautions(self.competition)

    def hidden(self) -> dict[str, object]:
        """What each step hands on to the next."""
        after = {"template": self.template} if self.source is None else {"pool": self.source.pk}
        return {**after, "competition": self.competition.pk}

    def __str__(self) -> str:
        return str(TEMPLATES[self.template].name) if self.source is None else str(self.source)


if TYPE_CHECKING:
    Base = MadeByService
else:
    Base = object


class WithStudio(Base):
    """Adds the studio to the list of pools, and to the page of a pool the way to make another one after it."""

    # Other pages for whoever makes pools, each with the name of its address. Apps above add theirs.
    besides: ClassVar[tuple[tuple[str | Promise, str], ...]] = ()
    to_studio = RowLink(
        gettext_noop("Clone for a new season"), MAY_MAKE, lambda pk: f"{reverse('admin:pools_pool_studio')}?pool={pk}"
    )

    @list_button("New from a template", path="studio", icon="auto_awesome", permission=MAY_MAKE)
    @helped_by("staff/pools#a-new-pool")
    def studio(self, request: HttpRequest) -> HttpResponse:
        """All three steps. What was filled in travels along with them; nothing is kept before the last."""
        asked = request.POST if request.method == "POST" else request.GET
        source = _source_of(asked.get("pool", ""))
        chosen = StartForm(asked if "competition" in asked else None, source=source)
        if not chosen.is_valid():
            return self._page(
                request,
                "pools/studio_start.html",
                form=chosen,
                source=source,
                templates=TEMPLATES,
                besides=self.besides,
            )
        start = Start(chosen.cleaned_data["competition"], chosen.cleaned_data.get("template", ""), source)
        form_class = self.get_form(request)
        if request.method != "POST":
            return self._terms(request, start, form_class(initial=start.initial()))
        form = form_class(request.POST)
        step = request.POST.get("step")
        if not form.is_valid() or step == "terms":
            return self._terms(request, start, form)
        try:
            return self._made(request, form) if step == "make" else self._look(request, start, form)
        except DomainError as refusal:
            tell(form, refusal, called={FEE_CENTS: FEE})
            return self._terms(request, start, form)

    def _terms(self, request: HttpRequest, start: Start, form: Any) -> HttpResponse:
        """The second step: everything that can be said about the pool."""
        for name, rows in (("description", 3), ("countries", 1)):
            form.fields[name].widget.attrs["rows"] = rows
        sections = [(title, [form[name] for name in names]) for title, names in SECTIONS]
        switches = [form[name] for name in RULE_FIELDS]
        has_faults = any(field.errors for field in switches)
        return self._page(
            request, "pools/studio_terms.html", start=start, form=form, sections=sections, switches=switches,
            has_faults=has_faults, competition_errors=form["competition"].errors,
        )  # fmt: skip

    def _look(self, request: HttpRequest, start: Start, form: Any) -> HttpResponse:
        """The third: what would be made, in the words of players."""
        pool, rules = draft_of(competition=start.competition, rules=form.rules(), **form.pool_fields())
        kept = [form[name] for name in form.fields if name != "competition"]
        return self._page(
            request, "pools/studio_look.html", start=start, form=form, kept=kept, pool=pool,
            facts=_facts(pool), cautions=start.cautions(), rules=rules_in_words(rules, pool, with_cautions=True),
            **rounds_in_zones(request, pool, rules),
        )  # fmt: skip

    def _made(self, request: HttpRequest, form: Any) -> HttpResponse:
        """The draft, and its page."""
        pool = self.make(form, staff(request))
        self.message_user(request, told_in("The draft is made. Players see it once it is published."), messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:pools_pool_change", args=[pool.pk]))

    def _page(self, request: HttpRequest, template: str, **told: Any) -> HttpResponse:
        source = told["start"].source if "start" in told else told.get("source")
        title = _("New pool from a template") if source is None else _("The same pool for a new season")
        context = {**self.admin_site.each_context(request), "title": title, "opts": self.opts, **told}
        return TemplateResponse(request, template, context)


def _source_of(number: str) -> Pool | None:
    """The pool of an earlier season; None where a template is meant."""
    return get_object_or_404(Pool, pk=row_number(number) or 0) if number.isascii() and number.isdigit() else None


def _facts(pool: Pool) -> list[tuple[str | Promise, object]]:
    """The terms, each with its name, as players read them."""
    rounds = f"{pool.first_round_number} – {pool.last_round_number}"
    return [
        (_("Name"), pool.name),
        (_("Competition"), pool.competition),
        (_("Fee"), shown_amount(pool.entry_fee_cents, pool.currency) if pool.entry_fee_cents else _("free")),
        (_("Places"), pool.capacity if pool.capacity is not None else _("no limit")),
        (_("Entries for each player"), pool.max_entries_per_user),
        (_("Hours to pay in, after approval"), pool.pay_within_hours),
        (_("Rounds"), rounds),
        (_("Least age"), pool.minimum_age),
        (_("Offered in"), ", ".join(pool.countries) or _("everywhere")),
    ]
