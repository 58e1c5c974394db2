"""The demo store: invented customers, imported, resolved with a model trained on them, and keys to ask with."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from sqlalchemy import ColumnElement, Engine, and_, exists, func, select

from cdp.demo.files import RECORDS
from cdp.demo.generation import LAST_DAY, generate_demo, last_second
from cdp.demo.messages import lacks_messages, plan_messages, send_messages
from cdp.engagement.commerce import CART, ORDER
from cdp.engagement.event_effects import CONSENT
from cdp.identity.import_records import ImportOptions, import_files
from cdp.identity.resolve import resolve_all
from cdp.identity.train import require_specification, train_model
from cdp.intake.mapping import ImportMapping
from cdp.privacy.issue import issue_key
from cdp.privacy.keys import KeyRights, make_key
from cdp.staff.accounts import NewUser, create_user
from cdp.staff.passwords import is_password, make_password
from cdp.staff.users import select_users
from cdp.store import read, schema

ACTOR = "command:demo"
RECORD_COUNT = 4_000
SEED = 1
WORKER_COUNT = 2
KEYS_FILE = "demo-keys.json"
LOGINS_FILE = "demo-logins.json"

# What the demo keys may do: a channel's own view, and everything for a look around.
KEYS = {
    "agent desk": KeyRights("demo agent desk", ("profiles:lookup", "profiles:read:agent"), views=("agent",)),
    "administrator": KeyRights("demo administrator", ("admin",)),
}

# Who may try the console, one of each role.
USERS = {"ana": "steward", "bruno": "lead", "clara": "admin"}

Progress = Callable[[str], None]
# What was done: the whole demo, what an interrupted call had left, only what its customers did, or nothing.
Loaded = Literal["all", "rest", "messages", "nothing"]


def load_demo(engine: Engine, home: Path, *, progress: Progress) -> Loaded:
    """Fill an empty store with the demo's customers, or go on where a call before this one was interrupted.

    A store whose records were ever resolved is left as it is, but for messages of the demo's customers that are not
    in it.
    """
    runs = schema.resolution_runs
    with read(engine) as connection:
        filled = connection.scalar(select(schema.source_records.c.record_id).limit(1)) is not None
        resolved = connection.scalar(select(runs.c.run_id).where(runs.c.state == "published").limit(1))
        is_told = filled and not lacks_messages(connection, seed=SEED)
    if resolved is not None and is_told:
        return "nothing"
    with TemporaryDirectory(prefix="cdp-demo-") as name:
        directory = Path(name)
        if not is_told:
            progress(f"inventing {RECORD_COUNT:,} records")
            generate_demo(directory, record_count=RECORD_COUNT, seed=SEED)
        if not filled:
            _import_demo(engine, home, directory, progress)
        if resolved is None:
            _resolve_demo(engine, progress)
        sent_count = 0 if is_told else _send_messages(engine, directory, progress)
    if resolved is not None:
        return "messages" if sent_count else "nothing"
    return "rest" if filled else "all"


def _import_demo(engine: Engine, home: Path, directory: Path, progress: Progress) -> None:
    progress("importing them")
    import_files(
        engine,
        [directory / RECORDS],
        ImportOptions(mapping=ImportMapping(), worker_count=WORKER_COUNT),
        spool_directory=home / "tmp",
        rejects_path=home / "rejects" / "demo.jsonl",
        clock=lambda: datetime.now(UTC),
    )


def _resolve_demo(engine: Engine, progress: Progress) -> None:
    progress("training a model on them")
    train_model(
        engine,
        require_specification(None),
        seed=SEED,
        author=ACTOR,
        now=datetime.now(UTC),
        activate=True,
        progress=lambda step: progress(f"training: {step}"),
    )
    progress("resolving them into profiles")
    resolve_all(engine, clock=lambda: datetime.now(UTC), progress=lambda step: progress(f"resolving: {step}"))


def _send_messages(engine: Engine, directory: Path, progress: Progress) -> int:
    progress("telling what some of them did in the shop")
    plan = plan_messages(directory, seed=SEED, until=last_second(LAST_DAY))
    return send_messages(engine, plan, author=ACTOR, now=datetime.now(UTC))


def demo_keys(engine: Engine, home: Path) -> dict[str, str]:
    """The demo's keys by what they are for, made once for a store and kept in a file that only its owner may read."""
    path = home / KEYS_FILE
    known: dict[str, str] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    with read(engine) as connection:
        alive = set(
            connection.scalars(select(schema.api_keys.c.key_id).where(schema.api_keys.c.revoked_at.is_(None)))
        )
    keys = {name: secret for name, secret in known.items() if secret.split("_")[1] in alive}
    for name, rights in KEYS.items():
        if name not in keys:
            made = make_key()
            issue_key(engine, made, rights, actor=ACTOR, now=datetime.now(UTC))
            keys[name] = made.secret
    path.touch(mode=0o600)
    path.write_text(json.dumps(keys), "utf-8")
    return keys


def demo_logins(engine: Engine, home: Path) -> dict[str, str]:
    """The passwords of the demo's users by name, made once for a store and kept in a file like the keys'."""
    path = home / LOGINS_FILE
    known: dict[str, str] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    with read(engine) as connection:
        there = {each.name: each for each in select_users(connection)}
    logins = {}
    for name, role in USERS.items():
        user = there.get(name)
        if user is None:
            logins[name] = make_password()
            new = NewUser(name, role, logins[name])
            create_user(engine, new, actor=ACTOR, now=datetime.now(UTC))
        elif user.disabled_at is None and is_password(user.password_hash, known.get(name, "")):
            logins[name] = known[name]
    path.touch(mode=0o600)
    path.write_text(json.dumps(logins), "utf-8")
    return logins


def example_phone(engine: Engine) -> str | None:
    """The phone of a customer of several channels, to look up; None when there is none.

    Rather of one who ordered, left a cart and answered for consent, where there is one.
    """
    identifiers, memberships, profiles = schema.identifiers, schema.memberships, schema.profiles
    statement = (
        select(func.min(identifiers.c.value))
        .join(memberships, memberships.c.record_id == identifiers.c.record_id)
        .join(profiles, profiles.c.profile_id == memberships.c.profile_id)
        .where(
            identifiers.c.kind == "phone",
            memberships.c.valid_to.is_(None),
            profiles.c.state == "live",
            identifiers.c.value.not_in(
                # Numbers that other people hold too are answered with a choice, not with a person.
                select(identifiers.c.value)
                .join(memberships, memberships.c.record_id == identifiers.c.record_id)
                .where(identifiers.c.kind == "phone", memberships.c.valid_to.is_(None))
                .group_by(identifiers.c.value)
                .having(func.count(memberships.c.profile_id.distinct()) > 1)
            ),
        )
        .group_by(profiles.c.profile_id, profiles.c.record_count)
        .order_by(
            and_(*(_shows(kind) for kind in (ORDER, CART, CONSENT))).desc(),
            profiles.c.record_count.desc(),
            profiles.c.profile_id,
        )
        .limit(1)
    )
    with read(engine) as connection:
        phone: str | None = connection.scalar(statement)
    return phone


def _shows(kind: str) -> ColumnElement[bool]:
    """Whether there is something of the kind to show of a profile."""
    members, states = schema.memberships.alias(), schema.engagement_states
    return exists().where(
        members.c.profile_id == schema.profiles.c.profile_id,
        members.c.valid_to.is_(None),
        states.c.record_id == members.c.record_id,
        states.c.kind == kind,
        states.c.is_open,
    )
