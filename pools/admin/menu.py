"""Where the sidebar leads to pools and games."""

from django.utils.translation import gettext_lazy as _

from config.menu import Group, Line, menu

menu(
    Group.PLAY,
    Line("pools_pool", _("Pools"), "trophy", 30),
    Line("pools_round", _("Rounds"), "lock_clock", 40),
    Line("pools_game", _("Games"), "sports", 50),
    Line("pools_rules", _("Rules"), "rule", 80),
    Line("pools_amendment", _("Changed rules"), "edit_note", 90),
    Line("pools_competition", _("Competitions"), "emoji_events", 100),
    Line("pools_feedsource", _("Feeds"), "rss_feed", 110),
    Line("pools_feedpull", _("What feeds brought"), "download", 120),
    Line("pools_letstand", _("Differences let stand"), "done_all", 130),
)
