"""The raw SQL of attacks."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Change:
    """One row of the guard's table, changed."""

    sets: str
    where: str = "true"

    def sql(self, table: str, columns: list[str]) -> str:
        return f"UPDATE {table} SET {self.sets} WHERE {_first(table, self.where)}"


@dataclass(frozen=True)
class Copy:
    """One row of the guard's table once more, with a fresh id and these values instead."""

    where: str = "true"
    instead: dict[str, str] = field(default_factory=dict)

    def sql(self, table: str, columns: list[str]) -> str:
        names = [name for name in columns if name != "id" or "id" in self.instead]
        values = ", ".join(self.instead.get(name, name) for name in names)
        return (
            f"INSERT INTO {table} ({', '.join(names)}) SELECT {values} FROM {table} WHERE {_first(table, self.where)}"
        )


@dataclass(frozen=True)
class Raw:
    """Any statement; `{table}` is the guard's."""

    text: str

    def sql(self, table: str, columns: list[str]) -> str:
        return self.text.format(table=table)


Statement = Change | Copy | Raw


@dataclass(frozen=True)
class Attack:
    """What the guard holds; what it refuses, or of what it writes something down; what is done before."""

    holds: str
    does: Statement
    before: tuple[str, ...] = ()


def _first(table: str, where: str) -> str:
    return f"ctid = (SELECT ctid FROM {table} WHERE {where} ORDER BY ctid LIMIT 1)"
