"""Every variable, in the order of `.env.example`."""

from config.env.declared import basics, files, live, money, observing, people, web
from config.env.variable import Variable

VARIABLES: tuple[Variable, ...] = (
    *basics.VARIABLES,
    *people.VARIABLES,
    *money.VARIABLES,
    *web.VARIABLES,
    *live.VARIABLES,
    *files.VARIABLES,
    *observing.VARIABLES,
)
