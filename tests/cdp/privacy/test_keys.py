"""A key opens what it was made for, as long as it is alive, to whoever holds all of it."""

from __future__ import annotations

import hmac
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, select

from cdp.privacy.audit import find_breach, seal_audit
from cdp.privacy.issue import issue_key, revoke_key, rotate_key
from cdp.privacy.keys import (
    SCOPES,
    Caller,
    DeadKeyError,
    KeyRights,
    NewKey,
    RotationRunningError,
    UnknownKeyError,
    UnknownScopeError,
    UnknownViewError,
    authenticate,
    make_key,
    make_secret,
    parse_key,
    select_keys,
)
from cdp.store import read
from cdp.store.schema import api_keys, audit_entries
from tests.statements import recorded_statements

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def issue(engine: Engine, rights: KeyRights) -> NewKey:
    key = make_key()
    issue_key(engine, key, rights, actor="test", now=NOW)
    return key


def ask(engine: Engine, secret: str, now: datetime = NOW) -> Caller | None:
    with read(engine) as connection:
        return authenticate(connection, secret, now)


def test_a_key_reads_as_documented() -> None:
    key = make_key(lambda size: b"\xff" * size)

    assert key.secret.startswith(f"cdp_{key.key_id}_")
    assert key.secret.count("_") == 2
    assert len(key.secret) == len(make_key(lambda size: b"\x00" * size).secret)


def test_the_secret_part_has_more_than_128_bits() -> None:
    asked: list[int] = []

    make_key(lambda size: asked.append(size) or b"\x00" * size)  # type: ignore[func-returns-value]

    assert asked[1] * 8 >= 128


@given(st.binary(min_size=24, max_size=24))
def test_a_made_key_is_parsed(drawn: bytes) -> None:
    key = make_key(lambda size: drawn[:size])

    assert parse_key(key.secret) == key.key_id


@given(st.integers(0, 10**6), st.characters(codec="ascii", categories=["L", "N"]))
def test_one_wrong_letter_is_noticed_without_the_store(place: int, letter: str) -> None:
    secret = make_key(lambda size: bytes(range(size))).secret
    at = place % len(secret)
    mistyped = secret[:at] + letter + secret[at + 1 :]

    assert (parse_key(mistyped) is not None) == (mistyped == secret)


@pytest.mark.parametrize("text", ["", "cdp", "cdp__", "cdp_a_b", "x" * 60, "cdp_é" + "1" * 55, "\x00"])
def test_what_is_no_key_is_parsed_as_none(text: str) -> None:
    assert parse_key(text) is None


def test_the_holder_is_known_with_all_rights(store: Engine) -> None:
    rights = KeyRights("ivr", ("profiles:lookup", "profiles:read:ivr"), ("crm",), ("ivr",))

    key = issue(store, rights)

    assert ask(store, key.secret) == Caller(
        key.key_id,
        "ivr",
        frozenset({"profiles:lookup", "profiles:read:ivr"}),
        frozenset({"crm"}),
        frozenset({"ivr"}),
    )


def test_authentication_is_one_read(store: Engine) -> None:
    key = issue(store, KeyRights("ivr", ("admin",)))

    with recorded_statements(store) as statements:
        ask(store, key.secret)

    assert len(statements) == 1


def test_the_store_holds_no_secret(store: Engine) -> None:
    key = issue(store, KeyRights("ivr", ("admin",)))

    with read(store) as connection:
        row = connection.execute(select(api_keys)).one()

    assert key.secret.split("_")[2] not in str(row)


def test_another_secret_under_a_known_id_is_refused(store: Engine) -> None:
    known = make_key(lambda size: bytes(size))
    forged = make_key(lambda size: bytes(size) if size == 8 else b"\x01" * size)
    issue_key(store, known, KeyRights("ivr", ("admin",)), actor="test", now=NOW)

    assert forged.key_id == known.key_id
    assert ask(store, known.secret) is not None
    assert ask(store, forged.secret) is None


def test_an_unknown_key_is_refused(store: Engine) -> None:
    assert ask(store, make_key().secret) is None


def test_a_key_ends_at_its_instant(store: Engine) -> None:
    end = NOW + timedelta(days=1)
    key = issue(store, KeyRights("ivr", ("admin",), expires_at=end))

    assert ask(store, key.secret, end - timedelta(microseconds=1)) is not None
    assert ask(store, key.secret, end) is None


def test_a_revoked_key_is_refused_at_once(store: Engine) -> None:
    key = issue(store, KeyRights("ivr", ("admin",)))

    assert revoke_key(store, key.key_id, actor="test", now=NOW)

    assert ask(store, key.secret) is None


def rotate(engine: Engine, key: NewKey, *, hours: int, now: datetime = NOW, **options: Any) -> NewKey:
    made = make_secret(key.key_id)
    rotate_key(engine, made, overlap=timedelta(hours=hours), actor="test", now=now, **options)
    return made


def test_a_rotated_key_opens_with_both_secrets_until_the_former_dies(store: Engine) -> None:
    former = issue(store, KeyRights("ivr", ("profiles:lookup",), ("crm",), ("ivr",)))
    before, end = ask(store, former.secret), NOW + timedelta(hours=2)

    new = rotate(store, former, hours=2)

    assert new.secret != former.secret
    # Who called with the former is the same caller: rights, audit and repeated calls go on.
    assert ask(store, former.secret) == ask(store, new.secret) == before
    assert ask(store, former.secret, end - timedelta(microseconds=1)) == before
    assert ask(store, former.secret, end) is None
    assert ask(store, new.secret, end) == before


def test_a_rotation_without_overlap_ends_the_former_secret_at_once(store: Engine) -> None:
    former = issue(store, KeyRights("ivr", ("admin",)))

    new = rotate(store, former, hours=0)

    assert ask(store, former.secret) is None
    assert ask(store, new.secret) is not None


def test_a_third_secret_is_refused_while_two_are_alive(store: Engine) -> None:
    first = issue(store, KeyRights("ivr", ("admin",)))
    second = rotate(store, first, hours=2)

    with pytest.raises(RotationRunningError, match="--overlap-hours 0"):
        rotate(store, first, hours=2)

    assert ask(store, first.secret) is not None
    assert ask(store, second.secret) is not None


def test_a_leak_while_two_are_alive_is_ended_by_one_rotation(store: Engine) -> None:
    first = issue(store, KeyRights("ivr", ("admin",)))
    second = rotate(store, first, hours=2)

    third = rotate(store, first, hours=0)

    assert [ask(store, each.secret) is not None for each in (first, second, third)] == [False, False, True]


def test_after_the_overlap_a_key_is_rotated_again(store: Engine) -> None:
    first = issue(store, KeyRights("ivr", ("admin",)))
    later = NOW + timedelta(hours=2)
    second = rotate(store, first, hours=2)

    third = rotate(store, first, hours=2, now=later)

    alive = [ask(store, each.secret, later) is not None for each in (first, second, third)]
    assert alive == [False, True, True]


def test_revoking_ends_both_secrets(store: Engine) -> None:
    first = issue(store, KeyRights("ivr", ("admin",)))
    second = rotate(store, first, hours=2)

    revoke_key(store, first.key_id, actor="test", now=NOW)

    assert [ask(store, each.secret) for each in (first, second)] == [None, None]


def test_expiry_ends_both_secrets_unless_the_rotation_puts_it_off(store: Engine) -> None:
    end = NOW + timedelta(days=1)
    kept, renewed = (issue(store, KeyRights("ivr", ("admin",), expires_at=end)) for _ in range(2))
    new_of_kept = rotate(store, kept, hours=48)
    new_of_renewed = rotate(store, renewed, hours=48, expires_at=end + timedelta(days=90))

    assert [ask(store, each.secret, end) for each in (kept, new_of_kept)] == [None, None]
    assert ask(store, renewed.secret, end) == ask(store, new_of_renewed.secret, end) is not None


@pytest.mark.parametrize("death", ["revoked", "expired"])
def test_a_dead_key_is_not_brought_back(store: Engine, death: str) -> None:
    expires_at = NOW - timedelta(seconds=1) if death == "expired" else None
    key = issue(store, KeyRights("ivr", ("admin",), expires_at=expires_at))
    if death == "revoked":
        revoke_key(store, key.key_id, actor="test", now=NOW)

    with pytest.raises(DeadKeyError, match="cdp key create"):
        rotate(store, key, hours=1, expires_at=NOW + timedelta(days=1))


def test_rotating_an_unknown_key_names_it(store: Engine) -> None:
    with pytest.raises(UnknownKeyError, match="abc"):
        rotate(store, NewKey("abc", ""), hours=1)


def test_a_rotation_is_audited_without_its_secret(store: Engine) -> None:
    key = issue(store, KeyRights("ivr", ("admin",)))

    new = rotate(store, key, hours=1)

    seal_audit(store)
    with read(store) as connection:
        entry = connection.execute(select(audit_entries).order_by(audit_entries.c.audit_id.desc())).first()
        assert find_breach(connection) is None
    assert entry is not None
    assert (entry.action, entry.object_id) == ("key.rotate", key.key_id)
    assert new.secret.split("_")[2] not in str(entry)


def test_every_refusal_costs_the_same_comparisons(store: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    known = make_key(lambda size: bytes(size))
    issue_key(store, known, KeyRights("ivr", ("admin",)), actor="test", now=NOW)
    wrong = make_secret(known.key_id)
    compared: list[tuple[int, int]] = []
    compare = hmac.compare_digest

    def compare_and_tell(one: str, other: str) -> bool:
        compared.append((len(one), len(other)))
        return compare(one, other)

    monkeypatch.setattr("hmac.compare_digest", compare_and_tell)
    costs = []
    for secret in (known.secret, wrong.secret, make_key().secret):
        ask(store, secret)
        costs.append(tuple(compared))
        compared.clear()

    assert set(costs) == {((6, 6), (64, 64), (64, 64))}


def test_two_keys_of_one_name_live_side_by_side(store: Engine) -> None:
    first, second = (issue(store, KeyRights("ivr", ("admin",))) for _ in range(2))

    revoke_key(store, first.key_id, actor="test", now=NOW)

    assert ask(store, second.secret) is not None


def test_revoking_twice_is_told_and_audited_once(store: Engine) -> None:
    key = issue(store, KeyRights("ivr", ("admin",)))

    first = revoke_key(store, key.key_id, actor="test", now=NOW)
    second = revoke_key(store, key.key_id, actor="test", now=NOW)

    seal_audit(store)
    with read(store) as connection:
        actions = list(connection.scalars(select(audit_entries.c.action).order_by(audit_entries.c.audit_id)))
        assert find_breach(connection) is None
    assert (first, second) == (True, False)
    assert actions == ["key.create", "key.revoke"]


def test_revoking_an_unknown_key_names_it(store: Engine) -> None:
    with pytest.raises(UnknownKeyError, match="abc") as caught:
        revoke_key(store, "abc", actor="test", now=NOW)

    assert caught.value.ids == ("abc",)


def test_the_list_tells_rights_and_no_hash(store: Engine) -> None:
    key = issue(store, KeyRights("pos", ("profiles:lookup", "records:write"), sources=("till",)))

    with read(store) as connection:
        listed = select_keys(connection)

    assert listed == [
        {
            "key_id": key.key_id,
            "name": "pos",
            "scopes": ["profiles:lookup", "records:write"],
            "sources": ["till"],
            "views": None,
            "created_at": NOW,
            "expires_at": None,
            "revoked_at": None,
            "former_expires_at": None,
        }
    ]


@pytest.mark.parametrize("scopes", [("profiles:read",), ("records:write", "everything"), ()])
def test_unknown_scopes_are_refused(scopes: tuple[str, ...]) -> None:
    with pytest.raises(UnknownScopeError, match="records:write"):
        KeyRights("a", scopes)


def test_unknown_views_are_refused() -> None:
    with pytest.raises(UnknownViewError, match="'all'"):
        KeyRights("a", ("admin",), views=("all",))


def a_caller(*scopes: str, views: frozenset[str] | None = None) -> Caller:
    return Caller("k", "n", frozenset(scopes), frozenset({"crm"}), views)


def test_admin_has_every_scope() -> None:
    assert all(a_caller("admin").has_scope(scope) for scope in SCOPES)


def test_a_view_needs_its_scope_and_the_keys_binding() -> None:
    assert a_caller("profiles:read:ivr").may_read_view("ivr")
    assert not a_caller("profiles:read:ivr").may_read_view("agent")
    assert not a_caller("admin", views=frozenset({"ivr"})).may_read_view("agent")
    assert not a_caller("admin").may_read_view("everything")


def test_a_source_binding_is_kept() -> None:
    assert a_caller("admin").may_use_source("crm")
    assert not a_caller("admin").may_use_source("shop")
