"""The steward's console: web pages on the same calls into cdp as the API's."""

from __future__ import annotations

from flask import Flask

from api.console import (
    engagement,
    failures,
    home,
    models,
    oidc,
    profiles,
    proposals,
    quality,
    queue,
    review,
    rulings,
    search,
    settings_pages,
    sign_in,
    trail,
)
from api.console.access import forms
from api.console.blueprint import blueprint
from api.console.cookies import set_up_cookies
from api.console.languages import set_up_languages
from api.console.layout import set_up_layout
from api.console.oidc import set_up_identity_provider
from cdp.settings import Settings

__all__ = ["install_console"]

# Importing them puts their pages on the blueprint.
_PAGES = (
    failures,
    sign_in,
    oidc,
    home,
    queue,
    review,
    quality,
    search,
    profiles,
    engagement,
    rulings,
    proposals,
    models,
    settings_pages,
    trail,
)


def install_console(app: Flask, settings: Settings) -> None:
    set_up_cookies(app, settings)
    set_up_languages(app, settings)
    app.config.update(
        # Forms are checked by the console's guard, and are good for as long as the session.
        WTF_CSRF_CHECK_DEFAULT=False,
        WTF_CSRF_TIME_LIMIT=None,
    )
    forms.init_app(app)
    set_up_layout(app)
    set_up_identity_provider(app, settings)
    app.register_blueprint(blueprint)
