"""Keys that come twice are noticed, and keys that only look alike are not."""

from __future__ import annotations

import pytest

from cdp.intake.key_digests import KeyDigests, digest_key


@pytest.mark.parametrize(
    ("keys", "twice"),
    [
        ([("crm", "1"), ("crm", "2")], False),
        ([("crm", "1"), ("crm", "2"), ("crm", "1")], True),
        ([("crm", "1"), ("shop", "1")], False),
        ([("crm1", "1"), ("crm", "11")], False),
        ([("crm", "1")], False),
        ([], False),
    ],
    ids=["two keys", "one key again", "one id of two sources", "one text parted twice", "one", "none"],
)
def test_a_key_that_comes_twice_is_noticed(keys: list[tuple[str, str]], twice: bool) -> None:
    digests = KeyDigests()
    for source, source_record_id in keys:
        digests.add(digest_key(source, source_record_id))

    assert digests.any_twice() is twice
