"""Bodies that a results feed may send, and the limits under which tests pull them."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta

from config.http import Limits
from tests.support.schedules import nfl_row

# A test does not wait for a feed.
QUICK = Limits(connect=0.5, read=0.3, total=0.8, attempts=2, backoff=0.01, longest_wait=0.05, largest_body=1_000_000)
FUTURE = "2095-09-11"
PLAYED = ("KC_BUF", "DEN_LV", "SF_SEA", "NYJ_NE")
TO_COME = ("BUF_KC", "LV_DEN", "SEA_SF", "NE_NYJ")


def season(**changes: dict[str, object] | None) -> list[dict[str, str]]:
    """Rows of a small season: week 1 long past, week 2 far away. `KC_BUF={"score": (20, 17)}` changes a game's row,
    `KC_BUF=None` drops it."""
    rows = []
    for week, day, games in ((1, "2024-09-08", PLAYED), (2, FUTURE, TO_COME)):
        for sides in games:
            change = changes.get(sides, {})
            if change is not None:
                rows.append(nfl_row(f"2024_{week:02}_{sides}", **({"gameday": day} | change)))
    return rows


def as_csv(rows: list[dict[str, str]]) -> bytes:
    """The rows as nflverse would send them."""
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def event(sides: str, score: tuple[object, object] = ("", ""), **changes: object) -> dict:
    """One game of a scoreboard, `AWAY_HOME`, final by default, with scores home side first."""
    away, home = sides.split("_")
    told = {
        "state": "post", "completed": True, "name": "STATUS_FINAL",
        "date": datetime(2024, 9, 8, 17, tzinfo=UTC),
    } | changes  # fmt: skip
    date = told["date"]
    return {
        "date": date if isinstance(date, str) else date.strftime("%Y-%m-%dT%H:%MZ"),
        "status": {"type": {name: told[name] for name in ("state", "completed", "name")}},
        "competitions": [
            {
                "competitors": [
                    {"homeAway": "home", "team": {"abbreviation": home}, "score": score[0]},
                    {"homeAway": "away", "team": {"abbreviation": away}, "score": score[1]},
                ]
            }
        ],
    }


def as_json(*events: dict) -> bytes:
    """The events as a scoreboard would send them."""
    return json.dumps({"events": list(events)}).encode()


def ago(**time: float) -> datetime:
    """So long before now, to the minute."""
    return (datetime.now(UTC) - timedelta(**time)).replace(second=0, microsecond=0)
