"""Pictures of the console for the documents: `make screenshots` takes them anew from demo customers."""

from __future__ import annotations

import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.console.site import PASSWORD, Site, fill_store, find_chromium, serve

PICTURES = Path(__file__).parents[2] / "docs" / "images"
# Enough to see the page, little enough to keep in the tree.
SIZE = {"width": 1180, "height": 760}
# Theme, language, and the pages that are shown so.
SHOWN = (("light", "en-US", ("home", "review")), ("dark", "pt-BR", ("review", "profile")))


def take_pictures(site: Site, directory: Path) -> None:
    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu"]
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=flags)
        for theme, locale, shown in SHOWN:
            page = browser.new_page(viewport=SIZE, locale=locale, color_scheme=theme)  # type: ignore[arg-type]
            _sign_in(page, site)
            places = _places(page, site)
            for name in shown:
                page.goto(places[name])
                page.screenshot(path=directory / f"console-{name}-{theme}.png")
        browser.close()


def _sign_in(page: Page, site: Site) -> None:
    page.goto(site.page("sign-in"))
    page.fill("input[name=name]", "bruno")
    page.fill("input[name=password]", PASSWORD)
    page.press("input[name=password]", "Enter")
    page.wait_for_url(site.page(""))


def _places(page: Page, site: Site) -> dict[str, str]:
    """Page to address: the main ones."""
    profile = page.locator("a.id[href*='/profiles/']").first.get_attribute("href")
    page.locator("button[data-key=j]").click()
    page.wait_for_url("**/review/*")
    return {
        "home": site.page(""),
        "review": page.url,
        "profile": f"http://{site.address}{profile}",
    }


def main() -> None:
    if find_chromium() is None:
        raise SystemExit("Chromium is not installed: install it to take pictures.")
    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="cdp-pictures-") as directory:
        home = Path(directory)
        with serve(fill_store(home), home) as site:
            take_pictures(site, PICTURES)


if __name__ == "__main__":
    main()
