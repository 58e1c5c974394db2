"""Poison in a body is a problem of the caller's, never a failure of the service."""

from __future__ import annotations

import json
import re
import time
from contextlib import suppress

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from api.errors import Problem
from api.inputs import parse_json
from api.nesting import DEPTH_LIMIT, cut_deep_elements, depth_of
from tests.api.conftest import Caller, admin
from tests.builders import StoreBuilder

VALUE = b'{"type": "phone", "value": %s}'

POISON: dict[str, tuple[bytes, int]] = {
    "nothing": (b"", 400),
    "half": (b'{"type": "phone", "val', 400),
    "not json": (b"type=phone", 400),
    "nan": (VALUE % b"NaN", 400),
    "infinity": (VALUE % b"-Infinity", 400),
    "huge float": (VALUE % b"1e999", 400),
    "long float": (VALUE % (b"1." + b"1" * 5000), 400),
    "5000 digits": (VALUE % (b"1" * 5000), 400),
    "40 digits": (VALUE % (b"1" * 40), 422),
    "nested lists": (b"[" * 100_000 + b"]" * 100_000, 400),
    "nested objects": (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, 400),
    "unclosed brackets": (b"[" * 1_000_000, 400),
    "quotes and escapes": (b'"' + b'\\"' * 500_000 + b"[" * 40, 400),
    "lone surrogate": (VALUE % rb'"\ud800"', 400),
    "lone surrogate as name": (rb'{"\udfff": 1}', 400),
    "raw surrogate": (VALUE % b'"\xed\xa0\x80"', 400),
    "nul": (VALUE % rb'"a\u0000b"', 400),
    "raw nul": (VALUE % b'"a\x00b"', 400),
    "right-to-left override": (VALUE % rb'"\u202e4321-56789 11"', 422),
    "duplicate names": (b'{"type": "phone", "value": "1", "value": "2"}', 400),
    "latin-1": (VALUE % b'"\xe9"', 400),
    "byte order mark": (b"\xef\xbb\xbf{}", 400),
    "1 MB value": (VALUE % (b'"' + b"x" * 1_000_000 + b'"'), 422),
    "5 MB value": (VALUE % (b'"' + b"x" * 5_000_000 + b'"'), 413),
    "null": (b"null", 422),
    "list": (b"[1, 2]", 422),
}


@pytest.mark.parametrize("name", POISON)
def test_poison_is_a_problem_and_quickly(
    lite_client: FlaskClient, lite_people: StoreBuilder, name: str
) -> None:
    body, status = POISON[name]
    caller = admin(lite_client, lite_people)

    begun = time.perf_counter()
    answer = caller.client.post(
        "/v1/profiles/lookup",
        data=body,
        content_type="application/json",
        headers={"Authorization": f"Bearer {caller.secret}"},
    )

    assert answer.status_code == status, answer.get_data(as_text=True)
    assert answer.mimetype == "application/problem+json"
    assert time.perf_counter() - begun < 2.0


@pytest.mark.parametrize(
    "content_type", [None, "text/plain", "application/x-www-form-urlencoded", "application/xml", "json"]
)
def test_a_body_that_is_not_called_json_is_refused(
    lite_client: FlaskClient, lite_people: StoreBuilder, content_type: str | None
) -> None:
    answer = _post(admin(lite_client, lite_people), b"{}", {"Content-Type": content_type or ""})

    assert answer == (415, "unsupported_media_type")


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "application/vnd.cdp+json"])
def test_json_by_other_names_is_json(
    lite_client: FlaskClient, lite_people: StoreBuilder, content_type: str
) -> None:
    status, code = _post(admin(lite_client, lite_people), b"{}", {"Content-Type": content_type})

    assert (status, code) == (422, "validation_failed")


def test_a_packed_body_is_refused(lite_client: FlaskClient, lite_people: StoreBuilder) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}

    assert _post(admin(lite_client, lite_people), b"\x1f\x8b", headers) == (415, "unsupported_media_type")


def test_a_body_shorter_than_its_length_is_refused(
    lite_client: FlaskClient, lite_people: StoreBuilder
) -> None:
    headers = {"Content-Type": "application/json", "Content-Length": "1000"}

    status, _ = _post(admin(lite_client, lite_people), b'{"type": "phone"', headers)

    assert status == 400


def test_depth_is_counted_outside_texts() -> None:
    deep = "[" * DEPTH_LIMIT + "]" * DEPTH_LIMIT
    quoted = json.dumps({"a": "[{" * 1000 + '"' + "[" * 100})

    assert parse_json(deep.encode()) is not None
    assert parse_json(quoted.encode()) == json.loads(quoted)
    with pytest.raises(Problem):
        parse_json(f"[{deep}]".encode())


def _counted(value: object) -> int:
    """How deep a value nests, as one would count."""
    inner = list(value.values()) if isinstance(value, dict) else value
    return 1 + max(map(_counted, inner), default=0) if isinstance(inner, list) else 0


NESTED = st.recursive(
    st.text('[]{}"\\', max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text('[]{}"\\', max_size=3), inner, max_size=3)
    ),
    max_leaves=60,
)


@given(NESTED, st.integers(0, 2 * DEPTH_LIMIT), st.booleans())
def test_depth_is_what_one_would_count(value: object, around: int, is_object: bool) -> None:
    for _ in range(around):
        value = {"]": value} if is_object else [value]
    # Brackets enough to be counted at all.
    value = [value, [[]] * DEPTH_LIMIT]

    assert depth_of(json.dumps(value).encode()) == min(_counted(value), DEPTH_LIMIT + 1)


@given(st.lists(NESTED, max_size=4), st.integers(0, 4), st.integers(0, DEPTH_LIMIT))
def test_of_elements_those_too_deep_are_cut_and_no_others(
    elements: list[object], place: int, around: int
) -> None:
    deep: object = "{"
    for _ in range(DEPTH_LIMIT - 2 + around):
        deep = [deep]
    shallow = [each for each in elements if _counted(each) <= DEPTH_LIMIT - 2]
    body = {"records": [*shallow[:place], deep, *shallow[place:]], "[": shallow}

    cut, count = cut_deep_elements(json.dumps(body).encode(), b'"cut"')

    assert count == (1 if around else 0)
    assert json.loads(cut) == {
        **body,
        "records": [*shallow[:place], "cut" if around else deep, *shallow[place:]],
    }


@given(st.text('[]{}",:\\1 ', max_size=200))
def test_no_text_takes_a_reader_deeper_than_was_counted(text: str) -> None:
    body = (text + "[]" * (DEPTH_LIMIT + 1)).encode()
    opened = deepest = 0
    for found in re.findall(rb'"(?:[^"\\]|\\.)*+"?|[\[\]{}]', body, re.DOTALL):
        opened = max(opened + (found in (b"[", b"{")) - (found in (b"]", b"}")), 0)
        deepest = max(deepest, opened)

    assert depth_of(body) >= min(deepest, DEPTH_LIMIT + 1)


@pytest.mark.parametrize("escape", [r"\u0000", r"\ud800", r"\uDFFF", r"\uDc00", r"\u0041\uD9AB"])
def test_an_escape_that_is_no_text_is_found_anywhere(escape: str) -> None:
    for body in (f'{{"a": ["{escape}"]}}', f'{{"{escape}": 1}}', f'["\\u00e3{escape}"]'):
        with pytest.raises(Problem):
            parse_json(body.encode())


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (b'{"a": [1, NaN]}', "/a/1"),
        (b'{"a": {"b": 1e999}}', "/a/b"),
        (b'{"a": ' + b"1" * 5000 + b"}", "/a"),
        (b'[{"a/b~c": {"x": 1, "x": 2}}]', "/0/a~1b~0c"),
        (rb'{"a": ["b", "\ud800"]}', "/a/1"),
        (rb'{"a": {"\u0000": 1}}', "/a"),
        (b"-Infinity", ""),
    ],
    ids=["nan", "infinite", "digits", "twice", "surrogate", "name", "all"],
)
def test_a_value_that_cannot_be_read_is_pointed_at(body: bytes, pointer: str) -> None:
    with pytest.raises(Problem) as caught:
        parse_json(body)

    assert [each["pointer"] for each in caught.value.errors] == [pointer]
    assert caught.value.errors[0]["detail"] == caught.value.detail


@pytest.mark.parametrize("text", ["ã", "🧑", "\\u0000", "\\ud800", "𐐷"])
def test_an_escaped_text_is_read_whole(text: str) -> None:
    assert parse_json(json.dumps([text]).encode()) == [text]


CLEAN_TEXT = st.text(st.characters(exclude_characters="\x00", exclude_categories=("Cs",)))
FINITE = st.floats(allow_nan=False, allow_infinity=False)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | FINITE | CLEAN_TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(CLEAN_TEXT, inner, max_size=4),
    max_leaves=20,
)


@given(JSON_VALUES, st.booleans())
def test_what_is_clean_is_read_as_it_was_written(value: object, ensure_ascii: bool) -> None:
    assert parse_json(json.dumps(value, ensure_ascii=ensure_ascii).encode()) == value


@given(st.binary(max_size=200))
def test_any_bytes_are_json_or_a_problem(body: bytes) -> None:
    with suppress(Problem):
        parse_json(body)


def _post(caller: Caller, body: bytes, headers: dict[str, str]) -> tuple[int, str]:
    answer = caller.client.post(
        "/v1/profiles/lookup", data=body, headers={"Authorization": f"Bearer {caller.secret}", **headers}
    )
    assert answer.json is not None
    return answer.status_code, answer.json["code"]
