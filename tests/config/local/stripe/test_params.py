"""Reading parameters and forms, without a server."""

import pytest

from config.local.stripe.errors import InvalidParameter
from config.local.stripe.forms import decode
from config.local.stripe.params import Params


def params(text):
    return Params(decode(text))


def test_brackets_become_branches_and_lists():
    assert decode("a=1&b[c]=2&d[0][e]=3&f[]=4&f[]=5&g=") == {
        "a": "1",
        "b": {"c": "2"},
        "d": {"0": {"e": "3"}},
        "f": {"0": "4", "1": "5"},
        "g": "",
    }


def test_lists_are_read_in_the_order_of_their_positions():
    assert params("a[10]=z&a[2]=y&a[0]=x").texts("a") == ["x", "y", "z"]


def test_percent_and_plus_are_decoded_as_utf8():
    assert params("name=Zo%C3%AB+M%C3%BCller").text("name") == "Zoë Müller"


@pytest.mark.parametrize("text", ["[a]=1", "a]b=1", "a[b=1", "a[b]c=1", "=1"])
def test_broken_names_are_refused(text):
    with pytest.raises(InvalidParameter):
        decode(text)


def test_leftovers_are_refused_at_any_depth_by_their_full_names():
    given = params("known=1&colour=2&part[known]=3&part[colour]=4&rows[0][colour]=5")
    given.text("known")
    given.section("part").text("known")
    given.items("rows")

    with pytest.raises(InvalidParameter) as raised:
        given.finish()
    assert "colour, part[colour], rows[0][colour]" in raised.value.message
    assert raised.value.param == "colour"


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("a[b]=1", lambda given: given.text("a")),
        ("a=", lambda given: given.text("a")),
        ("a=1.0", lambda given: given.integer("a")),
        ("a=" + "9" * 19, lambda given: given.integer("a")),
        ("a=١", lambda given: given.integer("a")),
        ("a=5", lambda given: given.integer("a", high=4)),
        ("a=yes", lambda given: given.flag("a")),
        ("a=1", lambda given: given.section("a")),
        ("a=1", lambda given: given.items("a")),
        ("a[x]=1", lambda given: given.texts("a")),
        ("a[0]=1", lambda given: given.items("a")),
        ("a[0][b]=1", lambda given: given.texts("a")),
        ("a=http://[", lambda given: given.url("a")),
        ("a=http://x/<b>", lambda given: given.url("a")),
        ("metadata=1", lambda given: given.metadata()),
        ("metadata[a][b]=1", lambda given: given.metadata()),
    ],
)
def test_values_of_the_wrong_kind_are_refused(text, read):
    with pytest.raises(InvalidParameter):
        read(params(text))


def test_values_are_read_by_their_kind():
    given = params("n=-12&yes=true&no=false&u=https://x.example/{CHECKOUT_SESSION_ID}&w[gt]=3&at=7&none[]=")

    assert given.integer("n") == -12
    assert (given.flag("yes"), given.flag("no"), given.flag("absent")) == (True, False, None)
    assert given.url("u") == "https://x.example/{CHECKOUT_SESSION_ID}"
    assert (given.window("w"), given.window("at"), given.window("absent")) == ({"gt": 3}, {"eq": 7}, {})
    assert given.texts("none") == [""]
