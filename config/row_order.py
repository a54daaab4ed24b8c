"""Comparing rows of values in SQL, `(a, b) > (1, 2)`: what lets an index begin, or end, in the middle of equals."""

from collections.abc import Sequence
from typing import Any, Literal

from django.db.models import BooleanField, F, Func, Value


class RowComparison(Func):
    """A condition on a row of fields. Sorted by the same fields, an index on them is read only where it holds."""

    output_field = BooleanField()

    def __init__(self, fields: Sequence[str], sign: Literal["<", "<=", ">", ">="], values: Sequence[Any]) -> None:
        if len(fields) != len(values):
            raise ValueError("as many values as fields")
        super().__init__(*[F(field) for field in fields], *[Value(value) for value in values])
        self._sign = sign

    def as_sql(self, compiler: Any, connection: Any, *_: Any, **__: Any) -> Any:
        """Both rows in brackets, with the sign between."""
        compiled = [compiler.compile(expression) for expression in self.source_expressions]
        half = len(compiled) // 2
        fields, values = (", ".join(sql for sql, _ in part) for part in (compiled[:half], compiled[half:]))
        return f"({fields}) {self._sign} ({values})", [value for _, given in compiled for value in given]
