"""Stewards share the queue over HTTP: they claim, give back, put off and comment."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from cdp.stewardship import bulk
from cdp.store import schema
from cdp.store.errors import StoreBusyError
from tests.api.conftest import Caller
from tests.api.test_candidates import CLARA, CPF, asked, decide, etag_of
from tests.api.test_stewards import RUI, is_described, new_key, told, written
from tests.builders import StoreBuilder, a_record


def another(writer: Caller, people: StoreBuilder) -> Caller:
    return Caller(writer.client, people.add_key())


def test_what_is_claimed_nobody_else_claims_or_decides(writer: Caller, people: StoreBuilder) -> None:
    path, other = f"/v1/candidates/{asked(writer)}", another(writer, people)

    claimed = told(writer.post(f"{path}/claim", None))
    refused = told(other.post(f"{path}/claim", None), 409)

    assert (refused["code"], refused["held_by"]) == ("candidate_claimed", claimed["owner"])
    assert told(decide(other, claimed["candidate_id"], "same", etag_of(other, 1)), 409)["code"] == (
        "candidate_claimed"
    )
    assert is_described(writer.client, "Claim", claimed)


def test_given_back_another_one_claims_it(writer: Caller, people: StoreBuilder) -> None:
    path, other = f"/v1/candidates/{asked(writer)}", another(writer, people)
    told(writer.post(f"{path}/claim", None))

    answers = [told(each.post(f"{path}/release", None))["released"] for each in (other, writer, writer)]

    assert answers == [False, True, False]
    assert told(other.post(f"{path}/claim", None))["owner"].startswith("key:")


def test_what_is_put_off_says_until_when_and_is_free(writer: Caller, people: StoreBuilder) -> None:
    path, other = f"/v1/candidates/{asked(writer)}", another(writer, people)
    told(writer.post(f"{path}/claim", None))

    skipped = told(writer.post(f"{path}/skip", None))

    assert is_described(writer.client, "Skip", skipped)
    assert told(other.post(f"{path}/claim", None))["candidate_id"] == skipped["candidate_id"]


@pytest.mark.parametrize("verb", ["claim", "release", "skip"])
def test_what_is_sent_again_under_its_key_is_done_once(
    writer: Caller, people: StoreBuilder, verb: str
) -> None:
    path, key = f"/v1/candidates/{asked(writer)}", new_key()
    told(writer.post(f"{path}/claim", None))

    first = writer.post(f"{path}/{verb}", None, headers=key)
    before = audited(people)
    again = writer.post(f"{path}/{verb}", None, headers=key)

    assert (told(again), again.headers["Idempotency-Replayed"]) == (told(first), "true")
    assert told(first).get("released", True)
    assert audited(people) == before
    assert writer.post(f"{path}/comments", {"body": "no"}, headers=key).status_code == 422


def audited(people: StoreBuilder) -> int:
    with people.engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(schema.audit_entries)) or 0


def test_a_comment_is_written_once_and_read(writer: Caller) -> None:
    path, key = f"/v1/candidates/{asked(writer)}/comments", new_key()

    first = writer.post(path, {"body": " asked the branch "}, headers=key)
    again = writer.post(path, {"body": " asked the branch "}, headers=key)
    listed = told(writer.get(path))

    assert (told(first, 201), told(again, 201)["comment_id"]) == (first.json, 1)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert [each["body"] for each in listed["data"]] == ["asked the branch"]
    assert is_described(writer.client, "Comments", listed)


def test_a_comment_without_words_is_refused(lite_writer: Caller) -> None:
    path = f"/v1/candidates/{asked(lite_writer)}/comments"

    answers = [told(lite_writer.post(path, {"body": body}), 422) for body in (" ", "x" * 2001)]

    assert [each["errors"][0]["pointer"] for each in answers] == ["/body", "/body"]


def test_a_closed_candidate_is_neither_claimed_nor_put_off(lite_writer: Caller) -> None:
    candidate_id = asked(lite_writer)
    told(decide(lite_writer, candidate_id, "different", etag_of(lite_writer, candidate_id)))

    answers = [
        told(lite_writer.post(f"/v1/candidates/{candidate_id}/{verb}", None), 409)
        for verb in ("claim", "skip")
    ]

    assert [each["code"] for each in answers] == ["candidate_closed", "candidate_closed"]


def decide_alike(
    caller: Caller, chosen: list[dict[str, Any]], key: dict[str, str], **changes: Any
) -> TestResponse:
    body = {"decision": "different", "reason": "asked them", "candidates": chosen, **changes}
    return caller.post("/v1/candidates/decisions", body, headers=key)


def chosen_of(caller: Caller) -> list[dict[str, Any]]:
    listed = told(caller.get("/v1/candidates"))["data"]
    return [{"candidate_id": each["candidate_id"], "etag": each["etag"]} for each in listed]


def test_of_several_at_once_each_is_decided_by_itself(writer: Caller) -> None:
    written(writer, a_record(**CPF), RUI | CPF, CLARA | CPF)
    chosen, key = chosen_of(writer), new_key()
    chosen[1]["etag"] = "of before"

    first = decide_alike(writer, chosen, key)
    again = decide_alike(writer, chosen, key)

    answer = told(first)
    assert [each["candidate_id"] for each in answer["data"]] == [each["candidate_id"] for each in chosen]
    assert [each["outcome"] for each in answer["data"]] == ["decided", "refused", "decided"]
    assert [each["action_id"] for each in answer["data"]] == [1, None, 2]
    assert answer["data"][1]["problem"]["code"] == "candidate_changed"
    assert (answer["decided_count"], answer["refused_count"], answer["waiting_count"]) == (2, 1, 0)
    assert is_described(writer.client, "BulkResults", answer)
    assert (told(again), again.headers["Idempotency-Replayed"]) == (answer, "true")
    assert len(told(writer.get("/v1/actions"))["data"]) == 2


def test_with_several_a_purpose_that_is_none_is_refused(lite_writer: Caller) -> None:
    written(lite_writer, a_record(**CPF), RUI | CPF)
    chosen = chosen_of(lite_writer)

    answer = decide_alike(lite_writer, chosen, new_key() | {"CDP-Purpose": "to see"})

    assert told(answer, 422)["code"] == "validation_failed"
    assert told(lite_writer.get("/v1/actions"))["data"] == []


def test_several_that_were_interrupted_go_on_where_they_ended(
    lite_writer: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(lite_writer, a_record(**CPF), RUI | CPF, CLARA | CPF)
    chosen, key = chosen_of(lite_writer), new_key()
    decided = iter([True])
    monkeypatch.setattr(bulk, "decide_together", stopping(bulk.decide_together, decided))

    stopped = decide_alike(lite_writer, chosen, key)
    monkeypatch.undo()
    answer = told(decide_alike(lite_writer, chosen, key))

    assert stopped.status_code == 503
    assert [each["outcome"] for each in answer["data"]] == ["decided", "decided", "decided"]
    assert [each["action_id"] for each in answer["data"]] == [1, 2, 3]


def stopping(decide: Callable[..., Any], times: Iterator[bool]) -> Callable[..., Any]:
    """Decides as often as there are times; then the store cannot answer."""

    def decided(*args: Any, **options: Any) -> Any:
        if next(times, False):
            return decide(*args, **options)
        raise StoreBusyError("The store is busy.")

    return decided


def test_too_many_at_once_are_none(lite_writer: Caller) -> None:
    chosen = [{"candidate_id": number, "etag": "x"} for number in range(1, 202)]

    refused = told(decide_alike(lite_writer, chosen, new_key()), 422)

    assert refused["errors"][0]["pointer"] == "/candidates"
