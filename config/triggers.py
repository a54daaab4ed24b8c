"""Triggers declared beside the model they guard, and that no session can switch off.

django-pgtrigger keeps them in migrations. Its own template asks, for every row, a function whether the session set
`pgtrigger.ignore`: one `SET` would open every guard of money and fate, and the question costs a subtransaction per
row. Ours leaves it out. A guard is lifted only by a migration.
"""

from typing import Any

import pgtrigger
from django.db import models
from django.db.migrations.state import ProjectState
from pgtrigger import compiler
from pgtrigger.migrations import AddTrigger, RemoveTrigger


class GuardSql(compiler.UpsertTriggerSql):
    """The installation SQL, version 1. Migrations refer to it: a change needs a new class, not an edit."""

    def get_template(self) -> str:
        return """
            CREATE OR REPLACE FUNCTION {pgid}() RETURNS TRIGGER AS $$
                {declare}
                BEGIN
                    {func}
                END;
            $$ LANGUAGE plpgsql;

            DROP TRIGGER IF EXISTS {pgid} ON {table};
            CREATE {constraint} TRIGGER {pgid}
                {when} {operation} ON {table}
                {timing}
                {referencing}
                FOR EACH {level} {condition}
                EXECUTE PROCEDURE {execute};

            COMMENT ON TRIGGER {pgid} ON {table} IS '{hash}';
        """


def planned_anew(statement: str, *, rows: str = "new_rows", into: str = "", using: str = "") -> str:
    """PL/pgSQL: run the statement with a plan for the rows of the transition table that it has.

    Otherwise a session keeps the plan of its first time: a trigger that met one row then joins a million with a
    million by looking at all of them for each. One row is what players write: that plan is kept, and used for one row
    alone. `into` names variables for what the statement selects, `using` one whose value it takes for `$1`.
    """
    target = f" INTO {into}" if into else ""
    given = f" USING {using}" if using else ""
    return f"""
        IF (SELECT count(*) FROM (SELECT 1 FROM {rows} LIMIT 2) few) < 2 THEN
            {statement.replace("$1", using) if using else statement}{target};
        ELSE
            EXECUTE $statement${statement}$statement${target}{given};
        END IF;
    """


class Guard(pgtrigger.Trigger):
    """A trigger that `pgtrigger.ignore` does not reach."""

    def compile(self, model: type[models.Model]) -> compiler.Trigger:  # type: ignore[override]  # pgtrigger names an instance
        plain: Any = super().compile(model)  # type: ignore[arg-type]  # the same
        arguments = {key: value for key, value in plain.sql.kwargs.items() if key != "ignore_func_name"}
        return compiler.Trigger(name=plain.name, sql=GuardSql(**arguments))


class AddGuard(AddTrigger):
    """Installs a trigger, as `AddTrigger` does, without having Django render every related model anew.

    No field hangs on a trigger. With hundreds of them, the rendering took most of the time of `migrate`.
    """

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        options = state.models[app_label, self.model_name].options
        options["triggers"] = [*options.get("triggers", []), self.trigger]


class RemoveGuard(RemoveTrigger):
    """Takes a trigger away, in the same way."""

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        options = state.models[app_label, self.model_name].options
        options["triggers"] = [trigger for trigger in options.get("triggers", []) if trigger.name != self.name]
