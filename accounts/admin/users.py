"""Users, to look at and to act upon. Nothing is edited by hand; each action is a service, asked for on a page first."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext

from accounts.admin.history import WithHistory
from accounts.admin.personal_data import WithPersonalData
from accounts.admin.staff import staff
from accounts.models import Role, Session, SessionEnd, Totp, User, UserChange
from accounts.services.blocking import deactivate_user, reactivate_user
from accounts.services.registration import resend_verification_to
from accounts.services.roles import assign_role, refuse_unless_admin
from accounts.services.second_factor import reset_second_factor
from accounts.services.sessions import end_all_sessions
from config.admin import ReadOnlyAdmin, ReadOnlyInline
from config.confirmations import Reason, confirmed
from config.phrases import tell, tell_of

if TYPE_CHECKING:
    from config.confirmations import Action, Preview


def _given(role: Role, count: int) -> str:
    match role:
        case Role.PLAYER:
            return tell_of(
                count,
                "{count} person with the role player: may do nothing in the back office any more.",
                "{count} people with the role player: may do nothing in the back office any more.",
            )
        case Role.MODERATOR:
            return tell_of(
                count,
                "{count} person with the role moderator: may run pools: requests, results, rounds.",
                "{count} people with the role moderator: may run pools: requests, results, rounds.",
            )
        case Role.FINANCE:
            return tell_of(
                count,
                "{count} person with the role finance: may see payments and export reports.",
                "{count} people with the role finance: may see payments and export reports.",
            )
        case Role.ADMIN:
            return tell_of(
                count,
                "{count} person with the role admin: may do everything here, this included.",
                "{count} people with the role admin: may do everything here, this included.",
            )


def what_role_does(role: Role) -> "Preview":
    """The preview of `_maker`."""

    def preview(rows: QuerySet[User]) -> list[str]:
        already = rows.filter(role=role).count()
        return [
            _given(role, rows.count()),
            tell_of(
                already,
                "{count} of them has it already. Their access tokens end; staff sign in again.",
                "{count} of them have it already. Their access tokens end; staff sign in again.",
            ),
        ]

    return preview


def _maker(role: Role) -> "Action":
    """The action that gives a role."""

    def make(self: Any, request: HttpRequest, row: User, reason: str) -> None:
        assign_role(user=row, role=role, by=staff(request), reason=reason)

    make.__name__ = f"make_{role}"
    return confirmed(
        f"Make {role.label.lower()}",
        permission="accounts.assign_role",
        preview=what_role_does(role),
        reason=Reason.REQUIRED,
        done=f"made {role.label.lower()}",
        fresh=True,
    )(make)


def what_deactivation_does(rows: QuerySet[User]) -> list[str]:
    """The preview of `UserAdmin.deactivate`."""
    sessions = Session.objects.live().filter(user__in=rows).count()
    return [
        tell_of(
            rows.count(),
            "{count} person cannot sign in any more; sessions that end at once: {sessions}.",
            "{count} people cannot sign in any more; sessions that end at once: {sessions}.",
            sessions=sessions,
        ),
        gettext("Requests, entries and payments stay as they are."),
    ]


def what_reactivation_does(rows: QuerySet[User]) -> list[str]:
    """The preview of `UserAdmin.reactivate`."""
    return [
        tell_of(
            rows.count(),
            "{count} person may sign in again. Closed accounts stay closed.",
            "{count} people may sign in again. Closed accounts stay closed.",
        )
    ]


def what_ending_does(rows: QuerySet[User]) -> list[str]:
    """The preview of `UserAdmin.end_sessions`."""
    sessions = Session.objects.live().filter(user__in=rows).count()
    return [
        tell_of(
            sessions,
            "{count} session ends at once; people chosen: {people}. They may sign in again.",
            "{count} sessions end at once; people chosen: {people}. They may sign in again.",
            people=rows.count(),
        )
    ]


def what_resetting_does(rows: QuerySet[User]) -> list[str]:
    """The preview of `reset_second_factor`."""
    having = Totp.objects.confirmed().filter(user__in=rows).count()
    return [
        tell_of(
            having,
            "{count} of {people} has a second factor. It is taken away, and all their sessions end at once.",
            "{count} of {people} have a second factor. It is taken away, and all their sessions end at once.",
            people=rows.count(),
        ),
        gettext("Make sure that it is them who ask. Staff set up another one when they sign in next."),
    ]


def what_resending_does(rows: QuerySet[User]) -> list[str]:
    """The preview of `UserAdmin.resend_verification`."""
    return [
        tell_of(
            rows.filter(email_verified_at=None).count(),
            "{count} of {people} gets a new link.",
            "{count} of {people} get a new link.",
            people=rows.count(),
        )
    ]


class SessionInline(ReadOnlyInline):
    """Where and when somebody signed in."""

    model = Session
    fields = readonly_fields = ("created_at", "refreshed_at", "address", "user_agent", "revoked_at", "revoked_because")
    ordering = ("-created_at",)
    show_change_link = False
    per_page = 20

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(User)
class UserAdmin(WithHistory, WithPersonalData):
    """Everybody. The password's hash is not a field of the page, and the date of birth is behind a reason."""

    handbook = "staff/people#people"
    list_display = ("email", "display_name", "role", "is_verified", "is_active", "country", "created_at")
    list_filter = ("role", "is_active", ("email_verified_at", admin.EmptyFieldListFilter), "created_at")
    search_fields = ("email", "display_name")
    search_help_text = "E-mail address or name"
    ordering = ("-id",)
    fields = (
        "email",
        "display_name",
        "role",
        "is_superuser",
        "is_active",
        "email_verified_at",
        "country",
        "region",
        "created_at",
        "last_login",
        "second_factor",
        "closed_at",
        "history",
    )
    readonly_fields = ("second_factor", "history")
    inlines = (SessionInline,)
    actions = (
        "make_player",
        "make_moderator",
        "make_finance",
        "make_admin",
        "deactivate",
        "reactivate",
        "end_sessions",
        "reset_second_factor",
        "resend_verification",
    )
    make_player, make_moderator = _maker(Role.PLAYER), _maker(Role.MODERATOR)
    make_finance, make_admin = _maker(Role.FINANCE), _maker(Role.ADMIN)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Reasons are for those who may read the record itself."""
        may_read = request.user.has_perm("accounts.view_userchange")
        return [name for name in self.fields if name != "history" or may_read]

    def changes_of(self, row: User) -> QuerySet[UserChange]:
        """Of role and account."""
        return UserChange.objects.filter(subject_id=row.pk)

    def told(self, change: UserChange) -> dict[str, Any]:
        """Each line is of one field."""
        return {"from": change.from_value, "to": change.to_value, "details": {"field": change.field}}

    @admin.display(boolean=True, description="verified", ordering="email_verified_at")
    def is_verified(self, row: User) -> bool:
        """Whether the address is proved."""
        return row.email_verified

    @admin.display(description="Second factor")
    def second_factor(self, row: User) -> str:
        """Since when there is one."""
        device = Totp.objects.confirmed().filter(user=row).first()
        return "none" if device is None else tell("since {at} UTC", at=device.confirmed_at)

    @confirmed(
        "Deactivate",
        permission="accounts.block_user",
        preview=what_deactivation_does,
        reason=Reason.REQUIRED,
        done="deactivated",
        fresh=True,
    )
    def deactivate(self, request: HttpRequest, row: User, reason: str) -> None:
        deactivate_user(user=row, by=staff(request), reason=reason)

    @confirmed(
        "Reactivate",
        permission="accounts.block_user",
        preview=what_reactivation_does,
        reason=Reason.REQUIRED,
        done="reactivated",
        fresh=True,
    )
    def reactivate(self, request: HttpRequest, row: User, reason: str) -> None:
        reactivate_user(user=row, by=staff(request), reason=reason)

    @confirmed("End all sessions", permission="accounts.end_sessions", preview=what_ending_does, done="signed out")
    def end_sessions(self, request: HttpRequest, row: User, reason: str) -> None:
        refuse_unless_admin(staff(request), over=row)
        end_all_sessions(user=row, because=SessionEnd.STAFF, by=staff(request))

    @confirmed(
        "Reset second factor",
        permission="accounts.reset_second_factor",
        preview=what_resetting_does,
        reason=Reason.REQUIRED,
        done="without a second factor",
        fresh=True,
    )
    def reset_second_factor(self, request: HttpRequest, row: User, reason: str) -> None:
        reset_second_factor(user=row, by=staff(request), reason=reason)

    @confirmed(
        "Send verification mail again",
        permission="accounts.resend_verification",
        preview=what_resending_does,
        done="mailed",
    )
    def resend_verification(self, request: HttpRequest, row: User, reason: str) -> None:
        resend_verification_to(user=row)


@admin.register(UserChange)
class UserChangeAdmin(ReadOnlyAdmin):
    """Who gave whom which role, who shut which account, and why."""

    handbook = "staff/people#people"
    list_display = ("at", "subject_id", "field", "from_value", "to_value", "actor_id", "reason")
    list_filter = ("field", "at")
    search_fields = ("=subject_id", "=actor_id")
    ordering = ("-id",)
