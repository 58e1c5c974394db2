"""`cdp verify` finds rulings that are not whole."""

from __future__ import annotations

import pytest
from sqlalchemy import Executable, delete, update

from cdp.identity.verify import verify_store
from cdp.store import write
from cdp.store.schema import audit_entries, ledger_entries, pair_constraints, steward_actions
from tests.cdp.realtime.feeding import NOW
from tests.cdp.stewardship.desk import ANA, BIA, Desk


def change(desk: Desk, *statements: Executable) -> None:
    with write(desk.engine) as connection:
        for statement in statements:
            connection.execute(statement)


def told(desk: Desk) -> list[tuple[str, tuple[int | str, ...]]]:
    found = verify_store(desk.engine, partition=False).breaches
    return [(each.message, each.ids) for each in found if each.check == "rulings"]


@pytest.fixture
def ruled(desk: Desk) -> Desk:
    """Action 1 joined Ana and Bia, action 2 took it back."""
    desk.take(ANA, BIA)
    desk.undo(desk.join("1", "2"))
    return desk


def test_whole_rulings(ruled: Desk) -> None:
    verification = verify_store(ruled.engine)

    assert verification.breaches == []
    assert verification.checks["rulings"] == 0


def test_a_constraint_that_outlives_its_ruling(ruled: Desk) -> None:
    change(ruled, update(pair_constraints).values(valid_to=None, closed_by=None))

    assert ("constraint 1 is in force, its action 1 was taken back", (1, 1)) in told(ruled)


def test_constraints_that_contradict(ruled: Desk) -> None:
    rows = [
        {"kind": kind, "record_id_l": 1, "record_id_r": 2, "author": "a", "reason": "b", "valid_from": NOW}
        for kind in ("must", "cannot")
    ]
    change(ruled, pair_constraints.insert().values(rows))

    assert told(ruled) == [
        ("records 1 and 2 are held together and apart, by constraints 3, 2", (3, 2)),
    ]


def test_an_action_that_forgets_its_undo(ruled: Desk) -> None:
    change(ruled, update(steward_actions).where(steward_actions.c.action_id == 1).values(undone_by=None))

    assert ("action 1 does not say that action 2 took it back", (2, 1)) in told(ruled)


def test_an_action_undone_by_what_does_not_stand(ruled: Desk) -> None:
    change(ruled, update(steward_actions).where(steward_actions.c.action_id == 2).values(undone_by=1))

    assert ("action 1 was taken back by action 2, which does not stand", (2, 1)) in told(ruled)


def test_an_entry_marked_without_reason(ruled: Desk) -> None:
    entries = ledger_entries
    change(ruled, update(entries).where(entries.c.ledger_entry_id == 1).values(undone_by=2))

    assert told(ruled) == [("ledger entry 1 is marked as undone, and stands", (1,))]


def test_an_action_without_audit(lite_desk: Desk) -> None:
    lite_desk.take(ANA, BIA)
    lite_desk.join("1", "2")
    change(lite_desk, delete(audit_entries).where(audit_entries.c.object_kind == "action"))

    assert told(lite_desk) == [("action 1 has no audit entry", (1,))]
