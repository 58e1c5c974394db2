"""A part of a standardized record is what parsing all of it gives."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdp.identity.standardized import linkage_of, values_of

# Texts that look like the seams of the whole.
texts = st.text() | st.sampled_from([',"refusals":', ',"values":', '{"linkage":', '"}', "\\"])
objects = st.dictionaries(texts, texts | st.lists(texts, max_size=3), max_size=4)


@given(linkage=objects, values=objects, refusals=st.lists(objects, max_size=2))
def test_parts_of_canonical_text(
    linkage: dict[str, object], values: dict[str, object], refusals: list[object]
) -> None:
    whole = {"linkage": linkage, "refusals": refusals, "values": values}
    text = orjson.dumps(whole, option=orjson.OPT_SORT_KEYS).decode()

    assert linkage_of(text) == linkage
    assert values_of(text) == values


@pytest.mark.parametrize("names", [("values", "linkage", "refusals"), ("refusals", "values", "linkage")])
def test_parts_in_another_order(names: tuple[str, ...]) -> None:
    text = orjson.dumps({name: {"of": name} for name in names}).decode()

    assert linkage_of(text) == {"of": "linkage"}
    assert values_of(text) == {"of": "values"}
