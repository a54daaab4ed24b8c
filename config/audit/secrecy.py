"""What of the audit nobody is shown yet, though it is written and linked like all else.

That a player changed a pick is theirs alone until the round is revealed. Apps say so beside their models, in SQL about
the entry `{entry}`; whoever lists entries leaves those out.
"""

_hidden: dict[str, str] = {}


def hides(subject_type: str, unless: str) -> None:
    """Entries about these are hidden unless the condition holds."""
    _hidden[subject_type] = unless


def hidden_sql(entry: str) -> str:
    """SQL of whether the row `entry` of the audit is hidden at this moment."""
    of_each = (
        f"{entry}.subject_type = '{subject_type}' AND NOT coalesce(({unless.format(entry=entry)}), false)"
        for subject_type, unless in sorted(_hidden.items())
    )
    return f"(false{''.join(f' OR ({one})' for one in of_each)})"
