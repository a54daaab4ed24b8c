"""The roles as Django groups, with real permissions, after every `migrate`.

Each app says in its `AppConfig` which of its own permissions a role has, so that this app need not know the others:

    role_permissions: ClassVar = {"moderator": ("entries.*",), "finance": ("entries.view_entry",)}

A pattern is a permission's full name, in which `*` stands for anything. Admins have all permissions, players none;
nobody but an admin may delete, whatever a pattern says. Permissions that somebody gave a role's group by hand are
taken away again: the declarations are the truth.
"""

from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from django.apps import AppConfig
from django.contrib.auth import get_permission_codename
from django.db import connections

from accounts.models import JOIN_GROUP, Role

EVERYTHING = ("*",)


class UnknownPermission(LookupError):
    """An app grants a permission that does not exist: a slip of the pen would leave a role without a right."""


def grants_of(config: AppConfig, role: str) -> tuple[str, ...]:
    """The patterns that an app declares for a role."""
    declared: Mapping[str, Iterable[str]] = getattr(config, "role_permissions", {})
    unknown = set(declared) - set(Role.values)
    if unknown:
        raise UnknownPermission(f"{config.label} grants permissions to {sorted(unknown)}, which are no roles")
    return EVERYTHING if role == Role.ADMIN else tuple(declared.get(role, ()))


def grant_permissions(
    *,
    app_config: AppConfig,
    using: str,
    apps: Any,
    verbosity: int = 1,
    interactive: bool = True,
    plan: Any = None,
    **_: Any,
) -> None:
    """Django's `post_migrate`, called for each app after its permissions were made."""
    try:
        groups, permissions = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")
        apps.get_model("accounts", "UserChange")
    except LookupError:
        # Migrated back to before there were groups, or before people were kept in them.
        return
    own = {
        f"{app}.{codename}": pk
        for pk, app, codename in permissions.objects.using(using)
        .filter(content_type__app_label=app_config.label)
        .values_list("pk", "content_type__app_label", "codename")
    }
    for role in Role.values:
        group, is_new = groups.objects.using(using).get_or_create(name=role)
        _refuse_unknown(grants_of(app_config, role), {*own, *declared(app_config)})
        _set(group, own, granted(app_config, role, own))
        if is_new:
            _join(using)


def declared(config: AppConfig) -> Iterator[str]:
    """Every permission that the app's models declare, also of tables that are not there at this migration."""
    for model in config.get_models():
        options = model._meta
        for action in options.default_permissions:
            yield f"{config.label}.{get_permission_codename(action, options)}"
        yield from (f"{config.label}.{codename}" for codename, _ in options.permissions)


def _refuse_unknown(patterns: Iterable[str], known: set[str]) -> None:
    for pattern in patterns:
        if pattern != "*" and not any(fnmatchcase(name, pattern) for name in known):
            raise UnknownPermission(f"no permission is called {pattern}")


def granted(config: AppConfig, role: str, names: Iterable[str]) -> set[str]:
    """Which of these permissions of the app a role has."""
    patterns = grants_of(config, role)
    matching = {name for name in names if any(fnmatchcase(name, pattern) for pattern in patterns)}
    return {name for name in matching if role == Role.ADMIN or not _deletes(name)}


def _set(group: Any, own: Mapping[str, Any], names: Iterable[str]) -> None:
    """Give the group exactly these of the app's own permissions."""
    wanted = {own[name] for name in names}
    present = set(group.permissions.filter(pk__in=own.values()).values_list("pk", flat=True))
    if present - wanted:
        group.permissions.remove(*(present - wanted))
    if wanted - present:
        group.permissions.add(*(wanted - present))


def _deletes(name: str) -> bool:
    return name.partition(".")[2].startswith("delete_")


def _join(using: str) -> None:
    """Put everybody who was here before the group into it; from now on a trigger does."""
    with connections[using].cursor() as cursor:
        cursor.execute(JOIN_GROUP.format(people="accounts_user"))
