"""One status field, one map of transitions, one way to move; the same map is a trigger, so raw SQL cannot cheat."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar

import pgtrigger
from django.db import connection, models

from config.errors import InvalidTransition
from config.triggers import Guard

# By a model's own enum of statuses: the key of a Mapping is invariant, so `str` would refuse them all.
Transitions = Mapping[Any, Iterable[str]]

# Set by a ruling or a settlement correction for its own transaction: the only way out of a terminal state.
CORRECTION_SETTING = "outlast.correction"


class HasStatus(models.Model):
    """A model whose `status` moves only along `TRANSITIONS`."""

    TRANSITIONS: ClassVar[Transitions]
    status: "models.CharField[str, str]"

    class Meta:
        abstract = True

    def can_move_to(self, target: str) -> bool:
        """Whether the map has an arrow from here to `target`."""
        return target in self.TRANSITIONS.get(self.status, ())

    def move_to(self, target: str) -> None:
        """Set the status, without saving. Refuses what the map does not allow."""
        if not self.can_move_to(target):
            raise InvalidTransition(str(self._meta.verbose_name), self.status, target)
        self.status = target


@contextmanager
def correcting(what: str) -> Iterator[None]:
    """Let the transaction leave the maps that are `correctable`, within the block. A failure takes it back as well."""
    _set_correction(what)
    yield
    _set_correction("")


def _set_correction(what: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config(%s, %s, true)", [CORRECTION_SETTING, what])


def status_guard(transitions: Transitions, *, name: str = "status_map", correctable: bool = False) -> Guard:
    """The map as a trigger. `correctable`: a transaction that declares itself a correction may go back."""
    allowed = ", ".join(f"'{old}>{new}'" for old, targets in transitions.items() for new in targets)
    unless = f"coalesce(current_setting('{CORRECTION_SETTING}', true), '') = '' AND " if correctable else ""
    return Guard(
        name=name,
        when=pgtrigger.Before,
        operation=pgtrigger.UpdateOf("status"),
        condition=pgtrigger.Condition("OLD.status IS DISTINCT FROM NEW.status"),
        func=f"""
            IF {unless}NOT (OLD.status || '>' || NEW.status = ANY(ARRAY[{allowed}]::text[])) THEN
                RAISE EXCEPTION '% cannot go from % to %', TG_TABLE_NAME, OLD.status, NEW.status
                    USING ERRCODE = 'check_violation', CONSTRAINT = '{name}';
            END IF;
            RETURN NEW;
        """,
    )
