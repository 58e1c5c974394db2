"""The catalogues of the console's texts: `python -m tests.console.catalogues` brings them up to date (`make messages`).

What is not translated yet stays empty, and a test names it; what is not said any more goes.
"""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

CONSOLE = Path(__file__).parents[2] / "api" / "console"
LOCALES = ("pt_BR",)

MessageId = str | tuple[str, ...]

_METHODS = [("templates/**.html", "jinja2"), ("**.py", "python")]
_OPTIONS = {"templates/**.html": {"trimmed": "true"}}
_KEYWORDS = {"_": None, "gettext": None, "lazy_gettext": None, "ngettext": (1, 2)}
_HEADER = """\
msgid ""
msgstr ""
"Language: {locale}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: nplurals=2; plural=(n > 1);\\n"

"""


def texts() -> Iterator[MessageId]:
    """Every text that the console says, once, in the order of its files."""
    seen: set[MessageId] = set()
    found = extract_from_dir(CONSOLE, _METHODS, _OPTIONS, _KEYWORDS)
    for _, _, message, _, _ in sorted(found, key=lambda each: (each[0], each[1])):
        if message not in seen:
            seen.add(message)
            yield message


def read_catalogue(locale: str) -> Catalog:
    with path_of(locale).open("rb") as lines:
        return read_po(lines, locale)


def path_of(locale: str) -> Path:
    return CONSOLE / "translations" / locale / "messages.po"


def update(locale: str) -> None:
    known, renewed = read_catalogue(locale), Catalog(locale)
    for message in texts():
        before = known.get(message if isinstance(message, str) else message[0])
        renewed.add(message, before.string if before else None)
    written = BytesIO()
    write_po(written, renewed, omit_header=True, width=110)
    path_of(locale).write_text(_HEADER.format(locale=locale) + written.getvalue().decode(), "utf-8")


if __name__ == "__main__":
    for each in LOCALES:
        update(each)
