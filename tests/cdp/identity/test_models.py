"""Model versions: kept as they are, one of them in force."""

from __future__ import annotations

from datetime import datetime

import pytest
from sqlalchemy import Engine, update

from cdp.identity.activate import activate_model, require_active_model
from cdp.identity.models import (
    UnknownModelError,
    UnreadableModelError,
    insert_new_model,
    require_model,
    select_active_model,
    select_models,
)
from cdp.store import read, schema, write
from resolution import Model
from tests.cdp.identity.resolving import LATER, NOW, rows


def keep(store: Engine, model: Model, now: datetime = NOW) -> Model:
    with write(store) as connection:
        return insert_new_model(
            connection, model, report={"record_count": 7}, seed=1, record_count=7, now=now
        )


def test_the_first_use_puts_the_shipped_prior_in_force(store: Engine) -> None:
    with read(store) as connection:
        before = select_active_model(connection)

    model = require_active_model(store, now=NOW)

    assert before is None
    assert (model.version, model.specification.name) == (0, "people")
    [activation] = rows(store, "model_activations")
    assert (activation["model_version_id"], activation["valid_to"]) == (0, None)
    assert [row["action"] for row in rows(store, "audit_entries")] == ["model.activate"]


def test_the_second_use_changes_nothing(store: Engine) -> None:
    first = require_active_model(store, now=NOW)

    second = require_active_model(store, now=LATER)

    assert second == first
    assert len(rows(store, "model_activations")) == 1


def test_a_kept_model_comes_back_equal_under_the_next_version(
    people_store: Engine, small_model: Model
) -> None:
    kept = keep(people_store, small_model)

    with read(people_store) as connection:
        found = require_model(connection, 1)
    assert found == kept
    assert keep(people_store, small_model).version == 2


def test_activation_is_dated_and_audited(people_store: Engine, small_model: Model) -> None:
    keep(people_store, small_model)

    changed = activate_model(people_store, 1, author="lead", reason="better", now=LATER)

    assert changed
    former, active = rows(people_store, "model_activations")
    assert (former["model_version_id"], former["valid_to"]) == (0, LATER)
    assert (active["model_version_id"], active["author"], active["valid_to"]) == (1, "lead", None)
    assert rows(people_store, "audit_entries")[-1]["details"] == {"previous": 0, "reason": "better"}


def test_activating_the_active_version_leaves_no_trace(people_store: Engine) -> None:
    assert not activate_model(people_store, 0, author="lead", reason="again", now=LATER)

    assert len(rows(people_store, "model_activations")) == 1


def test_a_clock_that_went_back_ends_no_activation_before_it_began(
    people_store: Engine, small_model: Model
) -> None:
    keep(people_store, small_model)

    activate_model(people_store, 1, author="lead", reason="better", now=NOW.replace(year=2020))

    assert [row["valid_from"] for row in rows(people_store, "model_activations")] == [NOW, NOW]


def test_an_unknown_version_cannot_come_into_force(people_store: Engine) -> None:
    with pytest.raises(UnknownModelError, match="version 9"):
        activate_model(people_store, 9, author="lead", reason="better", now=LATER)


def test_a_version_that_cannot_be_read_does_not_come_into_force(
    people_store: Engine, small_model: Model
) -> None:
    keep(people_store, small_model)
    with write(people_store) as connection:
        versions = schema.model_versions
        connection.execute(
            update(versions).where(versions.c.model_version_id == 1).values(specification="{}")
        )

    with pytest.raises(UnreadableModelError, match="version 1"):
        activate_model(people_store, 1, author="lead", reason="better", now=LATER)
    with read(people_store) as connection:
        assert require_model(connection, 0).version == 0


def test_the_list_tells_which_version_is_in_force(people_store: Engine, small_model: Model) -> None:
    keep(people_store, small_model)

    with read(people_store) as connection:
        prior, trained = select_models(connection)

    assert (prior.model_version, prior.active_since) == (0, NOW)
    assert (trained.label, trained.record_count, trained.active_since) == ("small 1", 7, None)
    assert trained.report == {"record_count": 7}
