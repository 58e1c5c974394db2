"""The languages of the console: English as it is written here, the others from translations/*/messages.po.

The catalogues are read as they are, so that there is nothing to compile; the first page in a language pays for it.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from io import BytesIO

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from flask import Flask, request, session
from flask_babel import Babel, Domain, get_locale

from cdp.settings import Settings

# The tag of a page to the locale, and its name in itself.
LANGUAGES = {"pt-BR": ("pt_BR", "Português"), "en": ("en", "English")}
DEFAULT = "en"


class PoDomain(Domain):
    def get_translations(self) -> NullTranslations:
        return translations(str(get_locale()))


class PoBabel(Babel):
    domain_instance = PoDomain()


@cache
def translations(locale: str) -> NullTranslations:
    """Of a locale; English needs none."""
    catalogue = resources.files("api.console").joinpath("translations", locale, "messages.po")
    if not catalogue.is_file():
        return NullTranslations()
    compiled = BytesIO()
    with catalogue.open("rb") as lines:
        write_mo(compiled, read_po(lines, locale))
    compiled.seek(0)
    return Translations(compiled)


def set_up_languages(app: Flask, settings: Settings) -> None:
    PoBabel(
        app,
        default_locale=DEFAULT,
        default_timezone=settings.time_zone,
        locale_selector=lambda: LANGUAGES[current_language()][0],
    )


def current_language() -> str:
    """The one chosen, else the reader's first that there is: pt is pt-BR."""
    chosen = session.get("language")
    if chosen in LANGUAGES:
        return str(chosen)
    for tag, quality in request.accept_languages:
        for language in LANGUAGES:
            if quality and tag.partition("-")[0].lower() == language.partition("-")[0]:
                return language
    return DEFAULT


def evidence_language() -> str:
    """In which the domain tells why: pt for pt-BR."""
    return current_language().partition("-")[0]
