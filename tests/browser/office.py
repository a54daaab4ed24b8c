"""A page of the back office as one person sees it, and everything that is wrong with it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from config.local import home
from config.local.bootstrap import ROOT
from config.local.clients.tools import ready
from config.local.progress import Progress
from tests.factories.accounts import PASSWORD

PICTURES = ROOT / "var" / "browser"
AXE = ROOT / "tests" / "browser" / "axe"
WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
LOOKS = (("light", WIDE, "light"), ("dark", WIDE, "dark"), ("phone", PHONE, "light"), ("phone-dark", PHONE, "dark"))
# What keeps somebody from using a page; lesser findings are told by axe as moderate or minor.
BAD = ("serious", "critical")
TELL_VIOLATIONS = """
    document.addEventListener("securitypolicyviolation", function (event) {
        console.error("CSP forbids " + event.violatedDirective + " " + event.blockedURI + " " + event.sample);
    });
"""
RUN_AXE = "async () => (await axe.run(document, {resultTypes: ['violations']})).violations"


def fetched_axe() -> str:
    """The script, installed by npm from its lock into the home, where it stays."""
    place = home.home() / "clients" / "axe"
    script = place / "node_modules" / "axe-core" / "axe.min.js"
    lock = AXE / "package-lock.json"
    if not script.exists() or (place / lock.name).read_bytes() != lock.read_bytes():
        progress = Progress()
        tools = ready(progress)
        place.mkdir(parents=True, exist_ok=True)
        for source in (AXE / "package.json", lock):
            (place / source.name).write_bytes(source.read_bytes())
        node, npm = str(tools.node / "bin" / "node"), str(tools.node / "lib/node_modules/npm/bin/npm-cli.js")
        quiet = ["--no-audit", "--no-fund", "--ignore-scripts"]
        progress.run("axe-core", [node, npm, "--prefix", str(place), "ci", *quiet], env=tools.path())
    return script.read_text(encoding="utf-8")


@contextmanager
def opened(chromium: Any, base: str, axe: str) -> Iterator["Office"]:
    """The back office in windows of its own; refuses (AssertionError) in the end whatever was heard in any of them."""
    context = chromium.new_context(viewport=WIDE, base_url=base)
    office = Office(context, axe)
    try:
        yield office
        for page in context.pages:
            # What was said before this is answered has been heard by then.
            page.evaluate("() => new Promise(done => setTimeout(done))")
    finally:
        context.close()
    assert office.heard == [], "\n".join(office.heard)


class Office:
    """`page` is Playwright's, the first window; `heard` is what nobody should have to hear."""

    def __init__(self, context: Any, axe: str) -> None:
        self.axe, self.heard = axe, []
        context.add_init_script(TELL_VIOLATIONS)
        context.on("console", self._hear)
        context.on("weberror", lambda thrown: self.heard.append(f"{thrown.page.url}: {thrown.error}"))
        self.page: Any = context.new_page()

    def _hear(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.heard.append(f"{message.page.url}: {message.text} ({message.location.get('url', '')})")

    def enter(self, person: Any) -> None:
        """Sign in, as people do, whoever was there before. The person was made with `password=PASSWORD`."""
        self.page.context.clear_cookies()
        self.page.goto("/admin/login/?next=/admin/")
        self.page.fill("input[name=username]", person.email)
        self.page.fill("input[name=password]", PASSWORD)
        self.page.click("button[type=submit]")
        self.page.wait_for_url("**/admin/")

    def open(self, path: str) -> None:
        """A page that is there."""
        answer = self.page.goto(path)
        assert answer.status == 200, f"{path}: {answer.status}"

    def arrive(self, selector: str) -> None:
        """See the page that something led to, and its scripts listening: a key pressed before is a key lost."""
        self.page.wait_for_selector(selector)
        self.page.wait_for_load_state()

    def open_still(self, path: str) -> None:
        """A page that would load itself anew every few seconds, and does not."""

        def without_refresh(route: Any) -> None:
            answer = route.fetch()
            route.fulfill(
                response=answer, headers={name: said for name, said in answer.headers.items() if name != "refresh"}
            )

        self.page.route(f"**{path}", without_refresh)
        self.open(path)
        self.page.unroute(f"**{path}")

    def look(self, name: str) -> None:
        """Find nothing bad, light and dark, wide and on a phone; a picture of each stays."""
        PICTURES.mkdir(parents=True, exist_ok=True)
        for kind, size, scheme in LOOKS:
            self.page.set_viewport_size(size)
            self.page.evaluate("dark => document.documentElement.classList.toggle('dark', dark)", scheme == "dark")
            # Colours fade over.
            self.page.wait_for_timeout(400)
            self.page.screenshot(path=PICTURES / f"{name}-{kind}.png", full_page=True)
            found = self.findings()
            assert found == [], f"{name}, {kind}: {found}"
            overflow = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert overflow <= 0, f"{name}, {kind}: {overflow} pixels are outside of the window"
        self.page.set_viewport_size(WIDE)

    def findings(self) -> list[str]:
        """What axe finds serious or worse, with where it is."""
        self.page.evaluate(self.axe)
        return [
            f"{found['id']}: {found['help']} at {node['target']}: {node['html'][:200]}"
            for found in self.page.evaluate(RUN_AXE)
            if found["impact"] in BAD
            for node in found["nodes"]
        ]
