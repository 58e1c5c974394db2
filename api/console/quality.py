"""The quality sample: what its readings tell, and reading the next pair without knowing who answered what."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from api.auth import CONSOLE
from api.console.access import current_user, requires
from api.console.blueprint import blueprint
from api.console.comparison import shown_column, shown_rows
from api.console.layout import tell
from api.console.reading import current_reading, note_read
from api.console.states import PageError
from api.service import current_service
from api.snapshots import snapshot
from cdp.stewardship.compare import compare_sides
from cdp.stewardship.compare_reads import select_sides
from cdp.stewardship.errors import SecondPersonNeededError
from cdp.stewardship.members import select_profiles_of
from cdp.stewardship.quality import (
    ANSWERS,
    answer_sample,
    count_readable,
    estimate_quality,
    select_next_sample,
)


@blueprint.get("/quality")
@requires("queue.read")
def quality() -> str:
    with snapshot() as connection:
        estimated = estimate_quality(connection)
        mine = count_readable(connection, author=current_user().actor)
    settings = current_service().settings
    return render_template(
        "console/quality.html",
        quality=estimated,
        mine=mine,
        decision_share=settings.quality_decision_share,
        join_share=settings.quality_join_share,
    )


@blueprint.get("/quality/sample")
@requires("queue.decide")
def sample() -> str | Response:
    """The records alone: what the machine made of them, or somebody said, is not on the page."""
    with snapshot() as connection:
        found = select_next_sample(connection, author=current_user().actor)
        if found is None:
            tell(gettext("No pair is left for you to read again."))
            return redirect(url_for(f"{CONSOLE}.quality"), 303)
        pair = found.record_id_l, found.record_id_r
        sides = select_sides(connection, pair)
        profile_ids = select_profiles_of(connection, pair).values()
    reading = current_reading()
    for profile_id in sorted(set(profile_ids)):
        note_read(profile_id, "profile.read_sample", reading, sample_id=found.sample_id)
    return render_template(
        "console/sample.html",
        sample=found,
        columns=[shown_column(each, reading, pair=()) for each in sides],
        rows=shown_rows(compare_sides(sides), reading),
        reading=reading,
    )


@blueprint.post("/quality/sample")
@requires("queue.decide")
def post_sample() -> Response:
    """An answer, and on to the next pair."""
    service = current_service()
    sample_id, answer = request.form.get("sample_id", ""), request.form.get("decision", "")
    if answer not in ANSWERS or not (sample_id.isascii() and sample_id.isdecimal() and len(sample_id) <= 18):
        raise PageError("invalid")
    author, now = current_user().actor, service.clock()
    try:
        answer_sample(service.store.engine(), int(sample_id), answer, author=author, now=now)
    except SecondPersonNeededError:
        raise PageError("sample_not_found") from None
    tell(gettext("Your reading is kept."))
    return redirect(url_for(f"{CONSOLE}.sample"), 303)
