"""The pages of rulings. What a proposal would change is shown in full before the second name is given."""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter, RelatedDropdownFilter

from accounts.admin.staff import staff
from accounts.models import User
from config.admin import ReadOnlyAdmin, WithRowActions, list_button
from config.confirmations import Reason, Shown, confirmed
from config.errors import DomainError
from config.fresh_pages import fresh_page
from config.handbook import helped_by
from config.phrases import Name, in_language, tell
from entries.admin.links import linked
from entries.admin.rulings.finding import Finder
from entries.admin.rulings.forms import DisqualifyForm, GameForm, PickForm, ProposalForm, ReinstateForm
from entries.admin.rulings.tables import SHOWN, ends_of, ruling_tables, seen_name, sentences_of, tables_of
from entries.models import Ruling, RulingKind, RulingStatus
from entries.queries.rulings import rulings_in_full, sentence_of
from entries.services.rulings import (
    confirm_ruling,
    previewed_file,
    propose_reversal,
    propose_ruling,
    rehearse_ruling,
    withdraw_ruling,
)
from entries.services.rulings.people import PERMISSION

# A confirm page is read by a person: more than these are better decided one by one.
MOST_SHOWN = 5


def what_confirming_does(rows: QuerySet[Ruling]) -> Shown:
    """The preview of `confirm`, with the fingerprints of what it shows."""
    said = Shown([])
    for ruling in rows[:MOST_SHOWN]:
        told = sentences_of(ruling)
        said += [f"{ruling}: {in_language(sentence_of(ruling))}", *told]
        said.hidden |= told.hidden
    return said


def what_withdrawing_does(rows: QuerySet[Ruling]) -> list[str]:
    """The preview of `withdraw`."""
    waiting = rows.filter(status=RulingStatus.PROPOSED).count()
    return [
        tell("{waiting} of {total} wait; the others are refused.", waiting=waiting, total=rows.count()),
        gettext("Nothing else changes."),
    ]


def what_reversing_does(rows: QuerySet[Ruling]) -> list[str]:
    """The preview of `reverse`."""
    return [
        gettext("A reversal is proposed, which somebody else confirms; then all is as it was before the ruling."),
        gettext("Refused where a later ruling decides about the same: that one is reversed first."),
    ]


@admin.register(Ruling)
class RulingAdmin(WithRowActions, ReadOnlyAdmin):
    """Proposed, confirmed and withdrawn rulings."""

    handbook = "staff/rulings#rulings"
    change_form_outer_after_template = "entries/ruling_page.html"
    list_display = (
        "id", "sentence", "status", "proposed_by", "proposed_at", "decided_by", "conflict", "reversed_in",
    )  # fmt: skip
    list_display_links = ("id", "sentence")
    list_filter: ClassVar = (
        ("status", ChoicesDropdownFilter),
        ("kind", ChoicesDropdownFilter),
        "has_conflict",
        ("competition", RelatedDropdownFilter),
        ("pool", AutocompleteSelectFilter),
    )
    search_fields = ("reason", "entry__user__display_name", "entry__user__email", "game__external_id")
    search_help_text = "The reason, the player's name or e-mail address, or the schedule's name of a game"
    ordering = ("-id",)
    fields = (
        "sentence", "reason", "status", "proposed_by", "proposed_at", "decided_by", "decided_at", "conflict",
        "about", "reversal_of", "reversed_in",
    )  # fmt: skip
    readonly_fields = ("sentence", "conflict", "about", "reversal_of", "reversed_in")
    actions = ("confirm", "withdraw", "reverse")
    actions_list = ("propose_game", "propose_pick", "propose_disqualify", "propose_reinstate")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Ruling]:
        """With what the sentences name."""
        return rulings_in_full().order_by("-id")

    def get_urls(self) -> list[Any]:
        """Django's, with the search for games and entries, and all lines of a preview."""
        view = self.admin_site.admin_view
        own = [
            path("find", view(Finder.as_view(admin_site=self.admin_site)), name="entries_ruling_find"),
            path("<int:pk>/lines.csv", view(self.lines), name="entries_ruling_lines"),
        ]
        return [*own, *super().get_urls()]

    def describe(self, row: Ruling) -> str:
        """What it says, and who proposed it."""
        return tell(
            "{ruling}, {state}, proposed by {person}: {said}",
            ruling=str(row),
            state=Name(row.status),
            person=row.proposed_by.display_name,
            said=sentence_of(row),
        )

    def offers(self, request: HttpRequest, name: str, object_id: str) -> bool:
        """Only what can be done with the ruling as it is, and by this person."""
        ruling = self.get_object(request, object_id)
        if ruling is None:
            return False
        if name == "reverse":
            is_open = ruling.status == RulingStatus.CONFIRMED and ruling.kind != RulingKind.REVERSAL
            return is_open and not getattr(ruling, "is_reversed", False)
        if ruling.status != RulingStatus.PROPOSED:
            return False
        return name == "withdraw" or why_not(ruling, staff(request)) is None

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Django's; below it, what the ruling changed, or would change if it were confirmed now."""
        ruling = self.get_object(request, object_id) if object_id else None
        told: dict[str, Any] = {}
        if ruling is not None and request.user.has_perm(PERMISSION):
            told = {**ruling_tables(ruling, staff(request)), "why_not": why_not(ruling, staff(request))}
        return super().changeform_view(request, object_id, form_url, {**(extra_context or {}), **told})

    def lines(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """Every line of the preview, as a file."""
        if not request.user.has_perm(PERMISSION):
            raise PermissionDenied
        ruling = get_object_or_404(Ruling, pk=pk)
        try:
            file = previewed_file(ruling=ruling, by=staff(request))
        except DomainError as refusal:
            self.message_user(request, refusal.sentence, messages.ERROR)
            return HttpResponseRedirect(reverse("admin:entries_ruling_change", args=[pk]))
        return FileResponse(
            file, as_attachment=True, filename=f"ruling-{pk}.csv", content_type="text/csv; charset=utf-8"
        )

    @admin.display(description="What is decided")
    def sentence(self, ruling: Ruling) -> str:
        """As players read it."""
        return in_language(sentence_of(ruling))

    @admin.display(description="Conflict", ordering="has_conflict")
    def conflict(self, ruling: Ruling) -> str:
        """In words: a red cross for a no would say the opposite."""
        return gettext("Yes: one of the two plays") if ruling.has_conflict else gettext("No")

    @admin.display(description="About")
    def about(self, ruling: Ruling) -> SafeString | str:
        """The way to the game or the entry."""
        row = ruling.entry or ruling.game
        if row is None:
            return ""
        address = reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
        return linked(address, str(row))

    @admin.display(description="Reverses")
    def reversal_of(self, ruling: Ruling) -> SafeString | str:
        """The ruling that it undoes."""
        return _link(ruling.reverses_id)

    @admin.display(description="Reversed by")
    def reversed_in(self, ruling: Any) -> SafeString | str:
        """The ruling that undid it."""
        return _link(ruling.reversed_by)

    @confirmed("Confirm", permission=PERMISSION, preview=what_confirming_does, done="confirmed and settled", fresh=True)
    def confirm(self, request: HttpRequest, row: Ruling, reason: str) -> None:
        """Give the second name to what was shown: more than were shown are looked at first."""
        confirm_ruling(ruling=row, by=staff(request), seen=request.POST.get(seen_name(row), ""))

    @confirmed("Withdraw", permission=PERMISSION, preview=what_withdrawing_does, done="withdrawn")
    def withdraw(self, request: HttpRequest, row: Ruling, reason: str) -> None:
        """Take a proposal back."""
        withdraw_ruling(ruling=row, by=staff(request))

    @confirmed(
        "Reverse",
        permission=PERMISSION,
        preview=what_reversing_does,
        reason=Reason.REQUIRED,
        done="to be reversed",
        fresh=True,
    )
    def reverse(self, request: HttpRequest, row: Ruling, reason: str) -> None:
        """Propose to undo it."""
        propose_reversal(ruling=row, by=staff(request), reason=reason)

    @list_button("Rule on a game", path="propose-game", permission=PERMISSION)
    @helped_by("staff/rulings#about-a-game")
    def propose_game(self, request: HttpRequest) -> HttpResponse:
        """Not played, stands, moved, or another score."""
        return self._propose(request, GameForm)

    @list_button("Rule on a pick", path="propose-pick", permission=PERMISSION)
    @helped_by("staff/rulings#about-a-pick")
    def propose_pick(self, request: HttpRequest) -> HttpResponse:
        """A late one, or another for a wrong one."""
        return self._propose(request, PickForm)

    @list_button("Disqualify", path="propose-disqualify", permission=PERMISSION)
    @helped_by("staff/rulings#disqualify-and-reinstate")
    def propose_disqualify(self, request: HttpRequest) -> HttpResponse:
        """An entry becomes void."""
        return self._propose(request, DisqualifyForm)

    @list_button("Reinstate", path="propose-reinstate", permission=PERMISSION)
    @helped_by("staff/rulings#disqualify-and-reinstate")
    def propose_reinstate(self, request: HttpRequest) -> HttpResponse:
        """An entry that is out plays again."""
        return self._propose(request, ReinstateForm)

    def _propose(self, request: HttpRequest, kind: type[ProposalForm]) -> HttpResponse:
        """The form; below it, when asked, what confirming it would change; the page of the proposal once it is made."""
        form = kind(request.POST or None, initial=request.GET.dict())
        looks = request.POST.get("what") == "look"
        if looks and request.user.has_perm(PERMISSION):
            form.fields["reason"].required = False
        told: dict[str, Any] = {}
        if request.method == "POST" and form.is_valid():
            if not looks:
                return self._proposed(request, form)
            told = _rehearsed(form, staff(request))
        return self._form(request, form, told)

    def _form(self, request: HttpRequest, form: ProposalForm, told: dict[str, Any]) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": in_language(form.title),
            "opts": self.opts,
            "form": form,
            **told,
        }  # fmt: skip
        return TemplateResponse(request, "entries/ruling_form.html", context)

    @fresh_page
    def _proposed(self, request: HttpRequest, form: ProposalForm) -> HttpResponse:
        """Make the proposal; what is refused is told beside its field."""
        try:
            made = propose_ruling(by=staff(request), reason=form.cleaned_data["reason"], **form.proposal())
        except DomainError as refusal:
            form.tell(refusal)
            return self._form(request, form, {})
        self.message_user(request, "Proposed. Somebody else has to confirm it.", messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:entries_ruling_change", args=[made.pk]))


def _rehearsed(form: ProposalForm, by: User) -> dict[str, Any]:
    """The tables of what it would change; nothing is proposed yet."""
    try:
        preview = rehearse_ruling(by=by, listed=SHOWN, **form.proposal())
    except DomainError as refusal:
        form.tell(refusal)
        return {}
    return {"preview": preview, **tables_of(preview.tally), "ends": ends_of(preview.difference)}


def why_not(ruling: Ruling, user: User) -> str | None:
    """Why this person cannot give the second name; None when nothing speaks against it."""
    if ruling.status != RulingStatus.PROPOSED:
        return f"It is {ruling.status}."
    if ruling.proposed_by_id == user.pk:
        return gettext("You proposed it: somebody else has to confirm it.")
    if ruling.entry is not None and ruling.entry.user_id == user.pk:
        return gettext("It is about an entry of yours: a colleague has to confirm it.")
    return None


def _link(pk: int | None) -> SafeString | str:
    if pk is None:
        return ""
    return linked(reverse("admin:entries_ruling_change", args=[pk]), f"Ruling {pk}")
