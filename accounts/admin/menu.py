"""Where the sidebar leads to people, and to what watches over them."""

from django.utils.translation import gettext_lazy as _

from config.menu import Group, Line, menu

menu(Group.PLAY, Line("accounts_messagetemplate", _("Message templates"), "edit_note", 81))
menu(
    Group.PEOPLE,
    Line("accounts_user", _("Players and staff"), "group", 10),
    Line("accounts_document", _("Documents"), "badge", 20),
    Line("accounts_exclusion", _("Exclusions"), "block", 30),
    Line("accounts_spendinglimit", _("Spending limits"), "speed", 40),
    Line("accounts_agelimit", _("Age by country"), "cake", 50),
    Line("accounts_messagepreferences", _("Wishes about messages"), "tune", 80),
)
menu(
    Group.WATCH,
    Line("config_auditentry", _("Audit"), "policy", 10),
    Line("config_auditday", _("Days of the audit"), "event_note", 20),
    Line("accounts_userchange", _("Changes of accounts"), "manage_history", 30),
    Line("accounts_agelimitchange", _("Changes of ages"), "manage_history", 40),
    Line("config_outboxmessage", _("Work for later"), "outbox", 50),
    Line("accounts_webhookendpoint", _("Webhooks of others"), "webhook", 60),
    Line("accounts_webhookdelivery", _("Webhooks sent"), "send", 70),
    Line("accounts_letter", _("Letters"), "mail", 80),
    Line("accounts_unreachableaddress", _("Unreachable addresses"), "unsubscribe", 90),
)
