"""The pairs that training looks at: what the rules block, and some of what each optional rule would add."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from resolution.blocking import add_block_keys, add_blocked_pairs, proposed_pairs_sql
from resolution.specification import BlockingRule

# Of an optional rule: pairs enough to tell one match in twenty from one in thirty, from blocks of any size.
RULE_BLOCKS = 20_000
RULE_PAIRS = 4_000


def block_pairs(connection: duckdb.DuckDBPyConnection, rules: Sequence[BlockingRule]) -> int:
    """Add to table `blocked_pairs` what the rules propose; returns how many pairs are new."""
    for rule in rules:
        add_block_keys(connection, rule, lasting=False)
    before = _count_blocked(connection)
    add_blocked_pairs(connection, rules)
    return _count_blocked(connection) - before


def _count_blocked(connection: duckdb.DuckDBPyConnection) -> int:
    [(count,)] = connection.execute("SELECT count(*) FROM blocked_pairs").fetchall()
    return int(count)


def create_rule_pairs(connection: duckdb.DuckDBPyConnection, rules: Sequence[BlockingRule]) -> None:
    """Table `rule_pairs` (rule, join_key_l, join_key_r): some of the pairs that each rule proposes and that are not in
    `blocked_pairs`. Leaves no keys of these rules behind."""
    connection.execute("CREATE TABLE rule_pairs (rule VARCHAR, join_key_l BIGINT, join_key_r BIGINT)")
    for rule in rules:
        add_block_keys(connection, rule, lasting=False)
        connection.execute(
            f"""
            INSERT INTO rule_pairs
            SELECT $rule, join_key_l, join_key_r FROM ({proposed_pairs_sql(most_blocks=RULE_BLOCKS)})
            ORDER BY hash(join_key_l, join_key_r), join_key_l, join_key_r LIMIT $pairs
            """,  # noqa: S608  SQL of this code
            {"rule": rule.name, "rules": [rule.name], "caps": [rule.cap], "pairs": RULE_PAIRS},
        )
        connection.execute("DELETE FROM block_keys WHERE rule = ?", [rule.name])
