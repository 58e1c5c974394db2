"""What every page is made with: the frame's contents, filters of templates, what is to be told once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from babel.dates import format_timedelta
from flask import Flask, current_app, g, request, session, url_for
from flask_babel import format_date, format_datetime, format_decimal, get_locale, gettext, lazy_gettext
from flask_babel.speaklater import LazyString
from markupsafe import Markup

from api.auth import CONSOLE
from api.console import words
from api.console.blueprint import blueprint
from api.console.languages import LANGUAGES, current_language
from api.console.reading import REASONS
from api.service import current_service
from cdp.staff.roles import may
from cdp.store.instants import parse_instant

_ = lazy_gettext

THEMES: dict[str, LazyString] = {"auto": _("As the system"), "light": _("Light"), "dark": _("Dark")}
ROLE_NAMES: dict[str, LazyString] = {
    "steward": _("Steward"),
    "lead": _("Lead"),
    "admin": _("Administrator"),
}
_TOLD = "told"


@dataclass(frozen=True)
class Place:
    """A page of the main menu."""

    endpoint: str
    permission: str
    name: LazyString


MENU = (
    Place("home", "home.read", _("Home")),
    Place("queue", "queue.read", _("Queue")),
    Place("search", "profiles.search", _("Search")),
    Place("actions", "profiles.read", _("Decisions")),
    Place("models", "model.read", _("Model")),
    Place("settings", "settings.read", _("Settings")),
)


def set_up_layout(app: Flask) -> None:
    app.jinja_env.filters.update(
        instant=_instant, day=_day, small=_small, age=_age, number=_number, weight=_weight, percent=_percent
    )
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True


@blueprint.context_processor
def _frame() -> dict[str, Any]:
    user = g.get("user")
    return {
        "user": user,
        "menu": [place for place in MENU if user and may(user.role, place.permission)],
        "languages": LANGUAGES,
        "language": current_language(),
        "themes": THEMES,
        "theme": current_theme(),
        "can_post": _can_post(),
        "here": request.full_path.rstrip("?") if request.method == "GET" else url_for(f"{CONSOLE}.home"),
        "told": take_told() if _can_post() else None,
        "role_name": lambda role: ROLE_NAMES[role],
        "words": words,
        "zip": zip,
        "names": {},
        "reveal_reasons": REASONS,
        "may": lambda permission: bool(user) and may(user.role, permission),
    }


def current_theme() -> str:
    chosen = session.get("theme")
    return chosen if chosen in THEMES else "auto"


def tell(text: str, **particulars: Any) -> None:
    """To be told on the next page, once, after what else is.

    Particulars: undo, the id of the action that may be taken back; withdraw, the item whose answer that waits may be.
    """
    before = session.get(_TOLD, {})
    told = " ".join(filter(None, (before.get("text"), text)))
    session[_TOLD] = {**before, "text": told, **particulars}


def take_told() -> dict[str, Any] | None:
    told: dict[str, Any] | None = session.pop(_TOLD, None)
    return told


def _can_post() -> bool:
    """Before there is a user, there is no secret to sign a form with; and what is asked as a file has no session."""
    return current_app.secret_key is not None and request.endpoint != f"{CONSOLE}.static"


def _instant(instant: datetime | str | None) -> Markup:
    if instant is None:
        return Markup("–")
    if isinstance(instant, str):
        instant = parse_instant(instant)
    shown = format_datetime(instant, "short")
    return Markup('<time datetime="{}">{}</time>').format(instant.isoformat(), shown)


def _day(instant: datetime) -> Markup:
    return Markup('<time datetime="{}">{}</time>').format(instant.isoformat(), format_date(instant, "short"))


def _age(instant: datetime) -> str:
    """How long ago, in the largest unit."""
    told: str = format_timedelta(current_service().clock() - instant, threshold=1.2, locale=get_locale())
    return told


def _number(value: float | None, places: int = 0) -> str:
    if value is None:
        return "–"
    shown: str = format_decimal(value, f"#,##0.{'0' * places}" if places else "#,##0")
    return shown


def _weight(value: float | None) -> str:
    """A match weight, in bits, with its sign."""
    if value is None:
        return "–"
    return f"{'+' if value > 0 else '−' if value < 0 else ''}{_number(abs(value), 1)}"


def _small(value: float) -> str:
    """A probability in three digits, however small."""
    if value >= 0.001:
        return _number(value, 4)
    return f"{value:.2e}".replace(".", get_locale().number_symbols["latn"]["decimal"])


def _percent(value: float | None) -> str:
    return "–" if value is None else gettext("%(number)s%%", number=_number(value * 100, 1))
