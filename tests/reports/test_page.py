"""The page in a real Chromium: clicked through, on a phone and a desktop, in light and dark."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from partywall.reports import audit_overview, html, probe_overview
from partywall.reports.html import AT_ONCE, LOUD, OPEN
from partywall.survey.verdict import EFFECTS, Advice, Excepted, Finding, Report, Undecided
from tests.reports import probe_values, values
from tests.reports.browsing import DESKTOP, PHONE, chromium, visit
from tests.reports.test_forms import PROBE, known_audit

LEAKS = 70
UNFOLD = "open => document.querySelectorAll('details').forEach(d => d.open = open)"
DRAWN = (
    "() => [...document.querySelectorAll('.matrix tr[data-v]')].filter(r => r.offsetParent).length"
)
NASTY = 'public."<script>alert(1)</script>\'"""'


def audit(leaky: int = LEAKS, sound: int = 50) -> Report:
    """Fifty tables that held, seventy that leak, and one of everything else."""
    leaks = [
        replace(values.FINDING, at=f"public.leaky_{n:02}", fix="" if n % 2 else "SELECT 1")
        for n in range(leaky)
    ]
    odd = replace(values.FINDING, at=NASTY, effect="write", layer="catalog",
                  attacker="<b>initech</b>", because=NASTY * 4)  # fmt: skip
    held: dict[tuple[str, Any], Any] = {
        (f"public.sound_{n:02}", effect): "held" for n in range(sound) for effect in EFFECTS
    }
    held |= {("public.agreed", "read"): "excepted", ("public.shut", "write"): "closed"}
    return replace(
        values.report(*leaks, odd, cells=held),
        kinds={f"public.{name}": "table" for name in ("agreed", "shut", "log")},
        undecided=(Undecided("PW222", "move-row", "write", "public.log", "the server said no"),),
        excepted=(Excepted(values.on("public.agreed"), "agreed with the partners", "2027-06-30"),),
        advice=(Advice("PW121", "policy-per-row", "public.t", "slow", "do this", "https://x.test"),),
        left=("attackers of level sql were not tried",),
    )  # fmt: skip


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    made = {
        "audit": html.written(audit_overview.overview(audit(), "partywall.toml")),
        "small": html.written(audit_overview.overview(audit(3, 40), "partywall.toml")),
        "probe": html.written(probe_overview.overview(PROBE, "partywall.toml")),
        "known": html.written(known_audit(values.FINDING)),
        "held": html.written(audit_overview.overview(values.report(), "partywall.toml")),
    }
    for name, text in made.items():
        (folder / f"{name}.html").write_text(text, encoding="utf-8")
    return {name: folder / f"{name}.html" for name in made}


@pytest.mark.parametrize(
    ("scheme", "viewport"),
    [("light", PHONE), ("dark", DESKTOP)],
    ids=["light-phone", "dark-desktop"],
)
@pytest.mark.parametrize("name", ["small", "probe", "known"])
def test_everybody_can_use_it(
    browser: Browser, pages: dict[str, Path], name: str, scheme: str, viewport: dict[str, int]
) -> None:
    with visit(browser, pages[name], color_scheme=scheme, viewport=viewport) as seen:
        seen.page.evaluate(UNFOLD, True)  # noqa: FBT003 - an argument of that function
        violations = Axe().run(seen.page).response["violations"]
        assert [(one["id"], one["nodes"][0]["html"]) for one in violations] == []


@pytest.mark.parametrize("name", ["small", "probe"])
def test_it_is_never_wider_than_its_window(
    browser: Browser, pages: dict[str, Path], name: str
) -> None:
    with visit(browser, pages[name], viewport=PHONE) as seen:
        for unfolded in (False, True):
            seen.page.evaluate(UNFOLD, unfolded)
            for width in (320, 390, 1280):
                seen.page.set_viewport_size({"width": width, "height": 800})
                assert seen.sideways() <= 0
        seen.page.emulate_media(media="print")
        seen.page.set_viewport_size({"width": 718, "height": 1000})  # A4 within its margins
        assert seen.sideways() <= 0
        expect(seen.page.locator("button:visible")).to_have_count(0)


def test_what_held_has_nothing_to_click(browser: Browser, pages: dict[str, Path]) -> None:
    with visit(browser, pages["held"]) as seen:
        expect(seen.page.get_by_role("heading", level=1)).to_have_text("Held")
        expect(seen.page.locator(".card")).to_have_count(0)
        expect(seen.page.get_by_role("cell", name="held", exact=True)).to_have_count(1)


def test_what_is_known_is_marked_filtered_and_told(
    browser: Browser, pages: dict[str, Path]
) -> None:
    with visit(browser, pages["known"]) as seen:
        page = seen.page
        expect(page.locator(".legend")).to_contain_text("= known")
        cell = page.get_by_role("row", name="old").get_by_role("link", name="known").first
        cell.click()
        told = page.locator(cell.get_attribute("href") or "")
        expect(told).to_be_focused()
        expect(told).to_contain_text(values.FINDING.because)
        expect(page.locator("#k1")).to_contain_text("undecided: as ever")
        expect(page.get_by_text("of the baseline is mended: read public.gone")).to_be_visible()
        counted = page.get_by_role("region", name="Coverage by layer").get_by_role("row")
        expect(counted.nth(1).get_by_role("cell")).to_have_text(["1", "1", "1", "0", "0", "0"])
        page.get_by_role("button", name="known", exact=True).click()
        expect(page.locator("#count")).to_have_text("Showing 1 of 3 surfaces, 0 of 1 breached.")
        expect(page.locator("#k0")).to_be_visible()
        expect(page.locator("#u0")).to_be_hidden()
    with visit(browser, pages["held"]) as seen:
        expect(seen.page.get_by_text("known")).to_have_count(0)


def test_the_filters(browser: Browser, pages: dict[str, Path]) -> None:
    with visit(browser, pages["small"]) as seen:
        page = seen.page
        count, rows, cards = page.locator("#count"), "tr[data-v]:visible", ".card:visible"
        breached = page.get_by_role("button", name="breached", exact=True)
        breached.click()
        expect(breached).to_have_attribute("aria-pressed", "true")
        expect(count).to_have_text("Showing 4 of 47 surfaces, 4 of 4 breached.")
        expect(page.locator("#u0")).to_be_hidden()
        breached.click()
        expect(count).to_have_text("")
        page.get_by_label("Search").fill("the server said no")
        expect(count).to_have_text("Showing 1 of 47 surfaces, 0 of 4 breached.")
        expect(page.locator("#u0")).to_be_visible()
        page.get_by_label("Search").fill("")
        page.get_by_label("Tenant").select_option(label="<b>initech</b>")
        expect(page.locator(cards)).to_have_count(1)
        page.get_by_role("button", name="Reset").click()
        expect(page.locator(cards)).to_have_count(4)
        page.get_by_label("Layer", exact=True).select_option("catalog")
        expect(page.locator(cards)).to_have_count(1)
        page.get_by_role("button", name="Reset").click()
        page.get_by_label("Table or surface").fill("SOUND_17")
        expect(page.locator(f".matrix {rows}")).to_have_count(1)
        expect(page.get_by_role("row", name="sound_17")).to_be_visible()


def test_what_held_unfolds(browser: Browser, pages: dict[str, Path]) -> None:
    with visit(browser, pages["small"]) as seen:
        button = seen.page.get_by_role("button", name="41 more held")
        assert button.get_attribute("aria-expanded") == "false"
        expect(seen.page.get_by_text("sound_00")).to_be_hidden()
        button.press("Enter")
        expect(seen.page.get_by_text("sound_00")).to_be_visible()
        assert button.get_attribute("aria-expanded") == "true"
        button.press("Enter")
        expect(seen.page.get_by_text("sound_00")).to_be_hidden()


def test_a_cell_leads_to_its_breach_by_keyboard(browser: Browser, pages: dict[str, Path]) -> None:
    with visit(browser, pages["audit"]) as seen:
        page = seen.page
        last = page.locator(".matrix").get_by_role("row", name="leaky_69").get_by_role("link")
        above = page.locator(".matrix").get_by_role("row", name="leaky_68").get_by_role("link")
        above.focus()
        page.keyboard.press("ArrowDown")
        expect(last).to_be_focused()
        page.keyboard.press("ArrowUp")
        expect(above).to_be_focused()
        page.keyboard.press("ArrowDown")
        card = page.locator(last.get_attribute("href") or "")
        expect(card.locator(".breach")).to_have_count(0)  # it waits as text
        page.keyboard.press("Enter")
        expect(card).to_be_focused()
        expect(card.get_by_text("SELECT * FROM public.invoices")).to_be_visible()


def test_an_address_with_a_breach_opens_it(browser: Browser, pages: dict[str, Path]) -> None:
    with visit(browser, pages["audit"], f"#s{AT_ONCE + 5}") as seen:
        card = seen.page.locator(f"#s{AT_ONCE + 5}")
        expect(card.locator(".breach")).to_be_visible()
        expect(card).to_be_in_viewport()


def test_nothing_runs_and_nothing_is_fetched_that_the_page_did_not_bring(
    browser: Browser, pages: dict[str, Path]
) -> None:
    with visit(browser, pages["small"]) as seen:
        ran = seen.page.evaluate("""() => {
            const script = document.createElement("script");
            script.textContent = "window.ran = true";
            document.body.append(script);
            document.body.setAttribute("style", "color: red");
            new Image().src = "http://127.0.0.1:9/";
            return window.ran ?? false;
        }""")
        assert ran is False
        refused = "".join(one for one in seen.wrong if "Content Security Policy" in one)
        assert all(part in refused for part in ("script-src", "style-src", "'http://127.0.0.1:9/'"))
        seen.wrong.clear()


def test_names_stay_names(browser: Browser, pages: dict[str, Path]) -> None:
    with visit(browser, pages["small"]) as seen:
        heading = seen.page.locator(".card h3").last
        expect(heading).to_have_text(NASTY)
        heading.click()
        expect(seen.page.locator(".card").last.locator(".breach > p")).to_have_text(NASTY * 4)
        expect(seen.page.locator("#tenant option").nth(1)).to_have_text("<b>initech</b>")


@pytest.mark.parametrize(
    "allowed", [["clipboard-read", "clipboard-write"], []], ids=["clipboard", "without"]
)
def test_the_witness_and_the_fix_are_copied(
    browser: Browser, pages: dict[str, Path], allowed: list[str]
) -> None:
    with visit(browser, pages["small"], permissions=allowed) as seen:
        page = seen.page
        if not allowed:
            page.evaluate("() => Object.defineProperty(navigator, 'clipboard', {value: undefined})")
        for part, told in (("witness", "SELECT * FROM public.invoices;"), ("fix", "SELECT 1")):
            button = page.get_by_role("button", name=f"Copy the {part} of read-rows").first
            button.click()
            expect(page.locator("#said")).to_have_text("Copied")
            expect(page.locator(":focus")).to_contain_text("Copied")
            page.get_by_label("Search").press("Control+V")
            assert told in page.get_by_label("Search").input_value()
            page.get_by_role("button", name="Reset").click()


def test_the_theme_is_the_system_s_until_somebody_says_otherwise(
    browser: Browser, pages: dict[str, Path]
) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    with visit(browser, pages["probe"], color_scheme="light") as seen:
        button = seen.page.get_by_role("button", name="Theme")
        light = seen.page.evaluate(ground)
        button.click()
        button.click()
        expect(button).to_have_text("Theme: dark")
        assert seen.page.evaluate(ground) != light
        seen.page.reload()
        seen.wrong.clear()  # the page itself, asked for again
        expect(button).to_have_text("Theme: dark")
        button.click()
        expect(button).to_have_text("Theme: system")
        assert seen.page.evaluate(ground) == light


def test_the_keyboard_gets_past_the_beginning(browser: Browser, pages: dict[str, Path]) -> None:
    with visit(browser, pages["small"]) as seen:
        seen.page.keyboard.press("Tab")
        skip = seen.page.get_by_role("link", name="Skip to the report")
        expect(skip).to_be_focused()
        expect(skip).to_be_in_viewport()
        seen.page.keyboard.press("Enter")
        expect(seen.page.get_by_role("main")).to_be_focused()


def test_without_scripts_all_of_it_is_there(browser: Browser, pages: dict[str, Path]) -> None:
    with visit(browser, pages["small"], java_script_enabled=False) as seen:
        expect(seen.page.get_by_role("row", name="sound_39")).to_be_visible()
        expect(seen.page.get_by_role("button", name="Copy")).to_have_count(0)
        expect(seen.page.locator(".card .breach:visible")).to_have_count(OPEN)


def test_five_thousand_surfaces_are_not_drawn_at_once(browser: Browser, tmp_path: Path) -> None:
    cells: dict[tuple[str, Any], Any] = {(f"public.t{n:04}", "read"): "held" for n in range(5000)}
    leaks: list[Finding] = [values.on(f"public.t{n:04}") for n in range(LOUD + 50)]
    found = audit_overview.overview(values.report(*leaks, cells=cells), "partywall.toml")
    file = tmp_path / "many.html"
    file.write_text(html.written(found), encoding="utf-8")
    with visit(browser, file) as seen:
        assert seen.page.evaluate(DRAWN) == LOUD
        expect(seen.page.locator(".breach")).to_have_count(AT_ONCE)
        seen.page.get_by_label("Table or surface").fill("t4321")
        expect(seen.page.locator('tr[data-s="public.t4321"]')).to_be_visible()


def test_a_probe_shows_both_commands_with_their_answers(
    browser: Browser, pages: dict[str, Path]
) -> None:
    with visit(browser, pages["probe"]) as seen:
        steps = seen.page.locator(".card").first.locator(".steps li")
        expect(steps).to_have_count(2)
        for step, who in zip(steps.all(), ("globex", "acme"), strict=True):
            expect(step).to_contain_text(f"as {who}")
            expect(step).to_contain_text(f"curl -sS -i {probe_values.BASE}/notes/7")
            expect(step).to_contain_text('"title": "pwg0a1b2c3d"')
        expect(seen.page.get_by_text("export ACME_AUTHORIZATION")).to_be_visible()
