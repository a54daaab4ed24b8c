"""Rules on pages of the back office: the sentences that players read, and what staff should look at again."""

from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from config.phrases import tell
from pools.models import Pool, Rules
from pools.services.rules import cautions, changed_sentences, sentences, shown, switches_of
from pools.services.rules.amendments import Outcome


def rules_in_words(rules: Rules, pool: Pool, *, with_cautions: bool = False) -> SafeString:
    """The switches in one line, and all sentences."""
    switches = ", ".join(f"{key} = {shown(value)}" for key, value in switches_of(rules).items())
    context = {
        "version": rules.version,
        "switches": switches,
        "cautions": cautions(rules, pool) if with_cautions else [],
        "sentences": sentences(rules, pool),
    }
    return render_to_string("admin/rules_in_words.html", context)


def what_changes(outcome: Outcome) -> list[str]:
    """An amendment in sentences: before and after, and from which round on."""
    before, after = outcome.before, outcome.after
    gone, new = changed_sentences(before, after, after.pool)
    switches = [
        tell(
            "{key}: {before} becomes {after}.",
            key=key,
            before=shown(getattr(before, key)),
            after=shown(getattr(after, key)),
        )
        for key in Rules.KEYS
        if getattr(before, key) != getattr(after, key)
    ]
    return [
        tell(
            "{pool}, version {version}, from round {round} on:",
            pool=after.pool.name,
            version=after.version,
            round=after.effective_round_number,
        ),
        *switches,
        *(tell("Before: {sentence}", sentence=sentence) for sentence in gone),
        *(tell("After: {sentence}", sentence=sentence) for sentence in new),
        *(tell("Look again: {caution}", caution=caution) for caution in cautions(after, after.pool)),
    ]
