"""The console in a real browser, over a real server with demo customers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Route, expect, sync_playwright
from sqlalchemy import select, update

from cdp.store import open_store, write
from cdp.store.schema import profiles
from tests.console.site import PASSWORD, Site, fill_store, find_chromium, serve

pytestmark = pytest.mark.slow

# Of the browser itself, on pages that say that something is not there.
_EXPECTED = re.compile(r"Failed to load resource: the server responded with a status of 4\d\d")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

SignIn = Callable[..., Page]


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    if find_chromium() is None:
        pytest.skip("Chromium is not installed: the console is not tried in a browser.")
    home = tmp_path_factory.mktemp("site")
    with serve(fill_store(home), home) as running:
        yield running


@pytest.fixture(scope="session")
def browser(site: Site) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def complaints() -> list[str]:
    """What the browser complains of: errors of scripts, of the policy, of what did not load."""
    return []


@pytest.fixture
def sign_in(browser: Browser, site: Site, complaints: list[str]) -> Iterator[SignIn]:
    """Opens a browser of their own for somebody and signs them in; nothing was complained of afterwards."""
    contexts: list[BrowserContext] = []

    def note(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not _EXPECTED.match(message.text):
            complaints.append(message.text)

    def start(name: str, **options: object) -> Page:
        context = browser.new_context(**{"locale": "en-US", **options})  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        page.on("console", note)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(site.page("sign-in"))
        page.fill("input[name=name]", name)
        page.fill("input[name=password]", PASSWORD)
        page.press("input[name=password]", "Enter")
        page.wait_for_url(site.page(""))
        return page

    yield start
    for context in contexts:
        context.close()
    assert complaints == []


def take_next(page: Page, site: Site) -> str:
    """The address of the item taken."""
    page.goto(site.page(""))
    page.locator("main [data-key=j]").click()
    page.wait_for_url("**/review/*")
    return page.url


def first_profile(page: Page, site: Site) -> str:
    page.goto(site.page(""))
    return str(page.locator("a.id[href*='/profiles/']").first.get_attribute("href"))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_on_any_page(sign_in: SignIn, site: Site, theme: str) -> None:
    page = sign_in("clara", color_scheme=theme)
    profile = first_profile(page, site).removeprefix("/console/")
    item = take_next(page, site).rpartition("/")[2]
    of_profile = [
        f"{profile}/{each}" for each in ("ledger", "timeline", "audit", "as-of?at=2030-01-01T00:00")
    ]
    of_item = [f"review/{item}", f"review/{item}/effect", f"review/{item}/audit"]

    found, choices = {}, {}
    for place in [*PAGES, profile, *of_profile, *of_item, "actions/1/undo", "review/99999", "sign-in"]:
        page.goto(site.page(place))
        unfold(page)
        choices[place] = page.locator("select[name=pin]:visible").count()
        for width, options in AT_WIDTHS.items():
            page.set_viewport_size({"width": width, "height": 720})
            results = Axe().run(page, options=options)
            if results.violations_count:
                found[place, width] = results.generate_report()

    assert found == {}
    assert choices[f"review/{item}/effect"] > 0


# Narrow pages are asked again for what their width decides.
AT_WIDTHS: dict[int, dict[str, object]] = {
    1280: {},
    320: {"runOnly": ["scrollable-region-focusable", "target-size"]},
}


def unfold(page: Page) -> None:
    """Open everything that is folded."""
    page.locator("details").evaluate_all("all => all.forEach(each => { each.open = true; })")


# Those without an id in their address.
PAGES = [
    "",
    "queue",
    "proposals",
    "quality",
    "quality/sample",
    "search",
    "actions",
    "models/0",
    "settings",
    "account",
]


def test_a_risky_yes_takes_two_different_people(sign_in: SignIn, site: Site) -> None:
    first, second = sign_in("ana"), sign_in("bruno")
    first.goto(site.page("queue?reason=exclusive_conflict&whose=mine"))
    item = site.page(f"review/{first.locator('td a.id').first.inner_text().removeprefix('#')}")
    say_same(first, item)
    expect(first.locator("#told")).to_contain_text("waits for a second person")

    say_same(first, item)

    expect(first.locator("[data-state='409']")).to_contain_text("Your answer waits for a second person.")
    first.goto(item)
    first.get_by_role("button", name="Give it back").click()
    say_same(second, item)
    expect(second.locator("#told")).to_contain_text("same person")
    second.goto(item)
    expect(second.locator("main")).to_contain_text("This item is closed: same person.")


def say_same(page: Page, item: str) -> None:
    """Take the item, and answer by the keyboard."""
    page.goto(item)
    page.get_by_role("button", name="Take this item to decide").click()
    page.get_by_role("button", name="Same person").click()


def test_twenty_reviews_by_keyboard_alone(sign_in: SignIn, site: Site) -> None:
    page = sign_in("ana")
    page.keyboard.press("j")
    page.wait_for_url("**/review/*")

    for number in range(20):
        key = "dsuk"[number % 4]
        here = page.url
        page.keyboard.press(key)
        expect(page.locator("#told")).to_contain_text("Item #")
        page.wait_for_function("here => location.href !== here", arg=here)

    assert "/review/" in page.url


def test_the_way_to_the_content_loads_nothing(sign_in: SignIn, site: Site) -> None:
    page = sign_in("ana")
    page.goto(site.page("queue"))
    page.evaluate("window.stays = true")

    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_timeout(300)

    assert page.evaluate("window.stays") is True
    assert page.evaluate("document.activeElement.id") == "main"


def test_keys_are_letters_while_somebody_types(sign_in: SignIn, site: Site) -> None:
    page = sign_in("ana")
    item = take_next(page, site)

    page.locator("input[name=words]").press_sequentially("sdukzjp?")

    assert page.url == item
    expect(page.locator("input[name=words]")).to_have_value("sdukzjp?")
    # Nor does Enter give the first of the answers.
    here = page.url
    page.keyboard.press("Enter")
    page.wait_for_timeout(300)
    expect(page).to_have_url(here)
    expect(page.locator("input[name=words]")).to_have_value("sdukzjp?")


def test_keys_can_be_switched_off(sign_in: SignIn, site: Site) -> None:
    page = sign_in("ana")
    page.goto(site.page("account"))
    page.get_by_role("button", name="Switch keyboard shortcuts off").click()
    item = take_next(page, site)

    page.keyboard.press("d")
    page.wait_for_timeout(200)

    assert page.url == item
    page.goto(site.page("account"))
    page.get_by_role("button", name="Switch keyboard shortcuts on").click()


def test_an_answer_is_undone_where_it_is_told(sign_in: SignIn, site: Site) -> None:
    page = sign_in("rui")
    item = take_next(page, site)
    page.keyboard.press("d")
    page.wait_for_function("item => location.href !== item", arg=item)

    page.keyboard.press("z")

    expect(page.locator("#told")).to_contain_text("was taken back")
    page.goto(item)
    expect(page.locator("main")).to_contain_text("Take this item to decide")


def test_the_slower_of_two_sees_who_was_quicker(sign_in: SignIn, site: Site) -> None:
    quick, slow = sign_in("rui"), sign_in("bruno")
    item = take_next(quick, site)

    slow.goto(item)

    expect(slow.locator("main")).to_contain_text("rui works on this item until")
    expect(slow.get_by_role("button", name="Same person")).to_have_count(0)
    quick.get_by_role("button", name="Give it back").click()


def test_without_scripts_everything_is_a_form(sign_in: SignIn, site: Site) -> None:
    page = sign_in("rui", java_script_enabled=False)
    item = take_next(page, site)

    page.get_by_role("button", name="Different people").click()
    expect(page.locator("#told")).to_contain_text("different people")
    page.get_by_role("button", name="Undo").click()

    expect(page.locator("#told")).to_contain_text("was taken back")
    assert item.startswith(site.page("review/"))


@pytest.mark.parametrize(("locale", "told"), [("pt-BR", "A mesma pessoa?"), ("en-US", "One person?")])
def test_a_narrow_page_fits_in_either_language(sign_in: SignIn, site: Site, locale: str, told: str) -> None:
    page = sign_in("clara", locale=locale, viewport={"width": 320, "height": 640})
    profile = first_profile(page, site).removeprefix("/console/")
    item = take_next(page, site).rpartition("/")[2]

    wide = {}
    for place in [*PAGES, profile, f"review/{item}/effect", f"review/{item}"]:
        page.goto(site.page(place))
        unfold(page)
        wide[place] = page.evaluate("document.documentElement.scrollWidth")

    expect(page.locator("h1")).to_contain_text(told)
    assert {place: width for place, width in wide.items() if width > 320} == {}


def test_going_back_after_signing_out_shows_nothing(sign_in: SignIn, site: Site) -> None:
    page = sign_in("ana")
    page.goto(site.page("queue"))
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/sign-in*")

    page.go_back()

    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_an_answer_that_does_not_arrive_says_so(sign_in: SignIn, site: Site, complaints: list[str]) -> None:
    page = sign_in("rui")
    item = take_next(page, site)
    page.route("**/decide", lambda route: route.abort())

    page.keyboard.press("d")

    expect(page.locator("#told")).to_contain_text("The service cannot be reached.")
    assert page.url == item
    complaints.clear()


def test_a_slow_answer_is_announced(sign_in: SignIn, site: Site) -> None:
    page = sign_in("rui")
    item = take_next(page, site)
    held: list[Route] = []
    page.route("**/decide", lambda route: held.append(route))

    page.keyboard.press("k")

    expect(page.locator("#told")).to_contain_text("Still waiting", timeout=8000)
    held[0].continue_()
    page.wait_for_function("item => location.href !== item", arg=item)


def test_what_a_yes_would_do_is_shown_in_place(sign_in: SignIn, site: Site) -> None:
    page = sign_in("rui")
    item = take_next(page, site)

    page.get_by_role("link", name="Show the profile that would result").click()

    effect = page.locator("[data-load]")
    expect(effect).to_contain_text("Nothing has changed yet.")
    effect.get_by_text("Choose other values").click()
    choice = effect.locator("select[name=pin]").first
    choice.select_option(index=1)
    effect.get_by_role("button", name="Show it with these values").click()
    expect(effect.locator(".note", has_text="Shown with these values pinned:")).to_be_visible()
    assert page.url == item
    sent = page.locator("#answers").evaluate("form => new FormData(form).getAll('pin').filter(Boolean)")
    assert sent == [choice.input_value()]


def test_records_taken_out_come_back_under_their_former_id(sign_in: SignIn, site: Site) -> None:
    page = sign_in("rui")
    page.goto(f"http://{site.address}{first_profile(page, site)}")
    former, before = page.url, page.locator(".head").inner_text()
    page.locator("input[name=record_id]").first.check()
    page.get_by_role("button", name="Take the chosen records out").click()
    expect(page.locator("main")).to_contain_text("A new profile")
    page.fill("textarea[name=reason]", "two people")
    page.get_by_role("button", name="Do it").click()
    expect(page.locator("#told")).to_contain_text("The records were taken out.")
    [parted] = page.locator("section:has(> h2:text-is('Ledger')) a[href*='/profiles/pf_']").evaluate_all(
        "links => [...new Set(links.map(link => link.href))].filter(each => !each.endsWith('/ledger')).slice(0, 1)"
    )

    page.get_by_role("button", name="Undo").click()

    expect(page.locator("#told")).to_contain_text("was taken back")
    page.goto(parted)
    expect(page.locator("main")).to_contain_text("was absorbed by this profile")
    page.goto(former)
    assert records_told(page.locator(".head").inner_text()) == records_told(before)


def records_told(head: str) -> str:
    found = re.search(r"pf_\w+ · \w+ · \d+ records", head)
    assert found is not None, head
    return found[0]


def test_a_golden_value_is_pinned_and_let_go(sign_in: SignIn, site: Site) -> None:
    page = sign_in("rui")
    page.goto(f"http://{site.address}{first_profile(page, site)}")
    golden = page.locator("section:has(> h2:text-is('Golden record'))")
    golden.locator("summary").click()
    page.select_option("select[name=attribute]", "full_name")
    golden.locator("input[name=reason]").fill("as on the card")

    golden.get_by_role("button", name="Pin").click()

    expect(page.locator("#told")).to_contain_text("The value is pinned.")
    expect(golden).to_contain_text("pinned by a steward")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#told")).to_contain_text("was taken back")
    expect(golden).not_to_contain_text("pinned by a steward")


def test_an_item_decided_in_another_window_says_so(sign_in: SignIn, site: Site) -> None:
    page = sign_in("rui")
    item = take_next(page, site)
    other = page.context.new_page()
    other.goto(item)
    other.get_by_role("button", name="Different people").click()
    expect(other.locator("#told")).to_contain_text("different people")

    page.keyboard.press("d")

    expect(page.locator("[data-state='409']")).to_contain_text("Somebody decided this item already.")
    expect(page.get_by_role("button", name="Take the next item")).to_be_visible()


def test_a_sampled_pair_is_read_again_by_keyboard(sign_in: SignIn, site: Site) -> None:
    page = sign_in("rui")
    page.goto(site.page("quality"))
    page.keyboard.press("j")
    page.wait_for_url("**/quality/sample")

    page.keyboard.press("s")

    expect(page.locator("#told")).to_contain_text("Your reading is kept.")
    expect(page.get_by_role("button", name="Same person")).to_be_visible()


def test_a_form_that_lacks_something_says_so(sign_in: SignIn, site: Site) -> None:
    page = sign_in("rui")
    page.goto(f"http://{site.address}{first_profile(page, site)}")

    page.get_by_role("button", name="Take the chosen records out").click()

    expect(page.locator("[data-state='422']")).to_contain_text("These records cannot be taken out.")


def test_what_goes_wrong_in_the_service_says_so(sign_in: SignIn, site: Site, complaints: list[str]) -> None:
    page = sign_in("rui")
    address = first_profile(page, site)
    with spoiled_profile(site, address.rpartition("/")[2]):
        page.goto(f"http://{site.address}{address}")

    expect(page.locator("[data-state='500']")).to_contain_text("Something went wrong in the service.")
    expect(page.locator("main")).to_contain_text("Number of this request:")
    complaints.clear()


@contextmanager
def spoiled_profile(site: Site, profile_id: str) -> Iterator[None]:
    """As if its golden record had been written by something else."""
    engine = open_store(site.store_url)
    row = profiles.c.profile_id == profile_id
    with write(engine) as connection:
        whole = connection.scalars(select(profiles.c.golden).where(row)).one()
        connection.execute(update(profiles).where(row).values(golden="{"))
    yield
    with write(engine) as connection:
        connection.execute(update(profiles).where(row).values(golden=whole))
    engine.dispose()


def test_the_log_of_the_server_names_nobody(site: Site) -> None:
    log = site.log.read_text()

    failures = [line for line in log.splitlines() if "console.failed" in line]
    assert [line for line in failures if "JSONDecodeError" not in line] == []
    assert PASSWORD not in log
