"""The settings with the sample API, for tests that need a process of their own."""

from config.settings import *  # noqa: F403  # all of them

ROOT_URLCONF = "tests.config.api.sample"
