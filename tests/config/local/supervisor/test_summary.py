import json
from io import StringIO

from rich.console import Console

from config.local import home
from config.local.commands.up import parse
from config.local.supervisor import summary


def shown(argv=()):
    console = Console(file=StringIO(), width=200)
    summary.show(parse(list(argv)), seconds=3.21, console=console)
    return console.file.getvalue()


def test_it_tells_every_address(place, monkeypatch):
    monkeypatch.delenv("STRIPE_SECRET_KEY", raising=False)
    text = shown(["--port", "8123"])

    assert "Outlast is ready after 3.2 s" in text
    for address in (
        "http://127.0.0.1:8123/admin/",
        "http://127.0.0.1:8123/api/docs/",
        home.stripe_base(),
        f"{place}/mail",
        f"{place}/logs",
    ):
        assert address in text


def test_it_tells_who_to_sign_in_as(place):
    home.home()
    people = [{"role": "moderator", "email": "moderator@outlast.test", "password": "correct horse"}]
    (place / "demo.json").write_text(json.dumps(people))

    text = shown()

    assert "moderator@outlast.test" in text
    assert "correct horse" in text
    assert "Try first" in text


def test_without_a_demo_it_tells_how_to_make_an_admin(place):
    assert "createsuperuser" in shown(["--no-demo"])


def test_a_real_stripe_key_shows_no_double(place, monkeypatch):
    monkeypatch.setenv("STRIPE_SECRET_KEY", "sk_test_of_ones_own")

    assert "Stripe double" not in shown()
