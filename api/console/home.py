"""Where work begins: what waits, the model in force, how the profiles look as a whole."""

from __future__ import annotations

from flask import redirect, render_template, url_for
from flask_babel import lazy_gettext
from flask_babel.speaklater import LazyString
from werkzeug.wrappers import Response

from api.auth import CONSOLE
from api.console.access import requires
from api.console.blueprint import blueprint
from api.console.states import PageError
from api.service import current_service
from cdp.identity.health import SIZES

_ = lazy_gettext

COLUMN_NAMES: dict[str, LazyString] = {
    "phones": _("Phones"),
    "emails": _("E-mails"),
    "handles": _("Handles"),
    "loyalty_ids": _("Loyalty numbers"),
    "device_ids": _("Devices"),
    "documents": _("Documents (CPF, CNPJ, NIF)"),
    "other_documents": _("Other documents"),
    "whatsapp_bsuids": _("WhatsApp user ids"),
}


@blueprint.get("/")
@requires("home.read")
def home() -> str:
    service = current_service()
    now, engine = service.clock(), service.store.engine()
    observed = service.observer.observe(engine, now)
    health = service.health.look(engine, now)
    sizes = [
        (least, most, count, count / health.profile_count if health.profile_count else 0.0)
        for (least, most), count in zip(SIZES, health.sizes, strict=True)
    ]
    return render_template(
        "console/home.html",
        observed=observed,
        health=health,
        sizes=sizes,
        measurement=observed.measurement,
        column_names=COLUMN_NAMES,
    )


@blueprint.get("")
@requires("home.read")
def index() -> Response:
    return redirect(url_for(f"{CONSOLE}.home"))


@blueprint.get("/<path:rest>")
def nothing_here(rest: str) -> Response:
    raise PageError("not_found")
