"""Sentences that are kept in the database and said later, each time in the language of whoever reads them.

A column of text keeps the English sentence; a JSON column beside it what `recipe_of` answers. `remade` puts both
together again. What was kept without a recipe stays as it was written.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from config.phrases import Money, Name, Phrase

Recipe = dict[str, Any]


def recipe_of(sentence: str) -> Recipe | None:
    """What a sentence was made of, as JSON; None of one that has no facts."""
    if not isinstance(sentence, Phrase):
        return None
    facts = {name: _kept(fact) for name, fact in sentence.facts.items()}
    return {"one": sentence.one, "many": sentence.many, "facts": facts}


def remade(text: str, recipe: Mapping[str, Any] | None) -> str:
    """The sentence that was kept, with its facts where they were kept, too."""
    if not recipe:
        return text
    made = Phrase(text)
    made.one, made.many = recipe["one"], recipe["many"]
    made.facts = {name: _fact(kept) for name, kept in recipe["facts"].items()}
    return made


def _kept(fact: Any) -> Any:
    """Numbers and texts as they are; of the rest, what it is and its value."""
    if isinstance(fact, Phrase):
        return {"phrase": recipe_of(fact), "text": str(fact)}
    if isinstance(fact, Name):
        return {"name": str(fact)}
    if isinstance(fact, Money):
        return {"money": list(fact)}
    if isinstance(fact, datetime):
        return {"at": fact.isoformat()}
    if isinstance(fact, date):
        return {"day": fact.isoformat()}
    return fact if isinstance(fact, int) else str(fact)


def _fact(kept: Any) -> Any:
    match kept:
        case {"phrase": recipe, "text": text}:
            return remade(text, recipe)
        case {"name": name}:
            return Name(name)
        case {"money": [minor, currency]}:
            return Money(minor, currency)
        case {"at": at}:
            return datetime.fromisoformat(at)
        case {"day": day}:
            return date.fromisoformat(day)
    return kept
