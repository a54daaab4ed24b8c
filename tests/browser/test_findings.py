"""What is wrong with a page fails the test that was there: each kind is put into one here, and found."""

import pytest

from tests.browser.office import opened

pytestmark = [pytest.mark.slow, pytest.mark.browser]
DOOR = "/admin/login/"
# What a page of ours might do one day, and what is said of it.
SAID = {
    "console.error('oops')": "oops",
    "console.warn('careful')": "careful",
    "setTimeout(() => { throw new Error('broken') })": "broken",
    "await fetch('/static/nowhere.js')": "404",
    "document.body.append(Object.assign(document.createElement('script'), {text: '1'}))": "CSP forbids script-src",
    "document.body.append(Object.assign(document.createElement('iframe'), {src: '//elsewhere.test'}))": "forbids frame",
    "document.body.append(Object.assign(new Image(), {src: 'https://elsewhere.test/a.png'}))": "CSP forbids img-src",
    "window.open('/admin/login/?other').onload = event => event.target.defaultView.console.error('behind')": "behind",
}
# What somebody could not use or read.
BARRIERS = {
    "<button></button>": "button-name",
    "<img src='/static/nothing.png'>": "image-alt",
    "<p style='color: #aaa; background: #fff'>Hardly there</p>": "color-contrast",
    "<input type=text>": "label",
}


def visited(chromium, served, axe, code):
    """A page that does this, as the fixture of all tests here has it."""
    with opened(chromium, served, axe) as office:
        office.open(DOOR)
        office.page.evaluate(f"async () => {{ {code} }}")
        office.page.wait_for_timeout(500)


@pytest.mark.parametrize(("code", "said"), SAID.items(), ids=SAID.values())
def test_whatever_a_console_says_fails(transactional_db, chromium, served, axe, code, said):
    with pytest.raises(AssertionError, match=said):
        visited(chromium, served, axe, code)


def test_a_quiet_page_passes(transactional_db, chromium, served, axe):
    visited(chromium, served, axe, "console.info('nothing')")


@pytest.mark.parametrize(("markup", "rule"), BARRIERS.items(), ids=BARRIERS.values())
def test_what_keeps_somebody_out_fails(office, markup, rule):
    office.open(DOOR)
    assert office.findings() == []
    # Past what a policy says of styles: written by a script.
    office.page.evaluate(
        """markup => {
            const made = new DOMParser().parseFromString(markup, "text/html").body.firstChild;
            const style = made.getAttribute("style");
            made.removeAttribute("style");
            document.querySelector("main, #main, body").prepend(made);
            if (style) made.style.cssText = style;
        }""",
        markup,
    )
    with pytest.raises(AssertionError, match=rule):
        office.look("finding")
    # The picture that is not there is heard as well.
    office.heard = [line for line in office.heard if "nothing.png" not in line]


def test_what_is_wider_than_its_window_fails(office):
    office.open(DOOR)
    office.page.evaluate("document.body.style.minWidth = '2000px'")
    with pytest.raises(AssertionError, match="outside of the window"):
        office.look("finding")


def test_a_page_that_is_not_there_fails(office):
    with pytest.raises(AssertionError, match="404"):
        office.open("/nowhere")
    office.heard = [line for line in office.heard if "404" not in line]
