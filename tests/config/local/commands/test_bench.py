import pytest

from config.local.commands import bench


@pytest.fixture(autouse=True)
def bars(monkeypatch):
    """An empty registry."""
    found = {}
    monkeypatch.setattr(bench, "_bars", found)
    return found


def bar(name, measured, limit=2.0):
    return bench.Bar(name, "how long it takes", "s", limit, lambda: measured, lambda: 1.0)


def test_an_empty_registry_says_that_nothing_was_measured(capsys):
    assert bench.main([]) == 0
    assert capsys.readouterr().out == "No bar is registered yet: nothing was measured.\n"


def test_a_bar_is_one_line_of_six_words(capsys):
    bench.register(bar("settle", 1.5))

    assert bench.main([]) == 0
    assert capsys.readouterr().out == "settle 1.5s 1s 1.5 2 ok\n"


def test_one_bar_that_is_over_fails_the_run(capsys):
    bench.register(bar("settle", 1.5))
    bench.register(bar("save", 2.5))

    assert bench.main([]) == 1
    assert capsys.readouterr().out.splitlines()[1] == "save 2.5s 1s 2.5 2 over"


def test_the_named_bar_alone_is_run(capsys):
    bench.register(bar("settle", 1.5))
    bench.register(bar("save", 2.5))

    assert bench.main(["settle"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_an_unknown_bar_is_refused_with_the_known_ones(capsys):
    bench.register(bar("settle", 1.5))

    assert bench.main(["setle"]) == 2
    assert capsys.readouterr().err == "No such bar: setle. Bars: settle: how long it takes.\n"


def test_two_bars_of_one_name_are_refused():
    bench.register(bar("settle", 1.5))

    with pytest.raises(ValueError, match="two bars are named settle"):
        bench.register(bar("settle", 2.5))
