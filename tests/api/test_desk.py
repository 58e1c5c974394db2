"""Stewards share the queue over HTTP: they claim, give back, put off and comment."""

from __future__ import annotations

from tests.api.conftest import Caller
from tests.api.test_candidates import asked, decide, etag_of
from tests.api.test_stewards import is_described, new_key, told
from tests.builders import StoreBuilder


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
