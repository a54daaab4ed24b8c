"""The developer's commands as a Django app; installed in local and test only."""

from django.apps import AppConfig


class LocalConfig(AppConfig):
    """`config.local`, under the label `local`."""

    name = "config.local"
    label = "local"
    verbose_name = "Local services"
