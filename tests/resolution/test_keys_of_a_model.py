"""The keys a model's function gives are those of the rules, one after the other."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from resolution.keys import blocking_keys, keyed_caps
from resolution.specification import BlockingRule, default_specification_text, parse_specification

RULES = parse_specification(default_specification_text()).blocking_rules
COLUMNS = sorted({column for rule in RULES for pooled in rule.columns for column in pooled})
values = st.sampled_from(["ana", "rui", "", "são paulo", "1980"])
linkages = st.dictionaries(
    st.sampled_from(COLUMNS), values | st.lists(values, max_size=3, unique=True), max_size=len(COLUMNS)
)


@given(linkages)
def test_all_keys_with_their_caps(linkage: dict[str, str | list[str]]) -> None:
    one_by_one = {key: rule.cap for rule in RULES for key in blocking_keys(linkage, (rule,))}

    assert keyed_caps(RULES)(linkage) == one_by_one


def test_a_pool_of_columns_needs_one_of_them() -> None:
    pooled = BlockingRule(
        name="either", columns=(("phones", "emails"), ("given_name",)), cap=3, is_optional=False
    )

    keys = keyed_caps([pooled])({"emails": ["a@example.com"], "given_name": "ana"})

    assert list(keys.values()) == [3]
