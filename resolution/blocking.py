"""Which pairs are compared at all: the blocking keys of `resolution.keys` in SQL, for all records at once."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from resolution.columns import LIST_COLUMNS
from resolution.specification import BlockingRule


def create_block_keys(connection: duckdb.DuckDBPyConnection) -> None:
    """Empty table `block_keys`, one row per (rule, blocking_key, record_id), and `blocked_pairs`, one row a pair.

    Records in table `repeats`, when it is there, have keys and are proposed for no pair.
    """
    connection.execute("CREATE TABLE IF NOT EXISTS repeats (record_id BIGINT, first_id BIGINT)")
    connection.execute("CREATE TABLE block_keys (rule VARCHAR, blocking_key BIGINT, record_id BIGINT)")
    connection.execute("CREATE TABLE blocked_pairs (match_key VARCHAR, join_key_l BIGINT, join_key_r BIGINT)")


def drop_block_keys(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("DROP TABLE block_keys")
    connection.execute("DROP TABLE blocked_pairs")
    connection.execute("DROP TABLE repeats")


def add_block_keys(
    connection: duckdb.DuckDBPyConnection, rule: BlockingRule, *, lasting: bool = True
) -> None:
    """The keys of the records in table `records` under a rule. Keys that need not last past this connection are made
    of DuckDB's own hash, at a tenth of the cost."""
    key = "md5_number_lower(concat_ws(chr(31), $rule, {}))" if lasting else "hash($rule, {})"
    connection.execute(
        f"""
        INSERT INTO block_keys
        SELECT DISTINCT $rule, ({key.format(_parts_sql(rule))} >> 1)::BIGINT, record_id
        FROM {_exploded_sql(rule)}
        WHERE {" AND ".join(f"part_{number} IS NOT NULL" for number in range(len(rule.columns)))}
        """,  # noqa: S608  columns were checked against the linkage columns
        {"rule": rule.name},
    )


def add_blocked_pairs(connection: duckdb.DuckDBPyConnection, rules: Sequence[BlockingRule]) -> None:
    """The pairs that the rules propose and that are not there yet; their keys must be in `block_keys`."""
    connection.execute(
        f"INSERT INTO blocked_pairs {proposed_pairs_sql()}",
        {"rules": [rule.name for rule in rules], "caps": [rule.cap for rule in rules]},
    )


def proposed_pairs_sql(*, most_blocks: int | None = None) -> str:
    """SQL for the pairs that the rules named in $rules propose under their $caps and that are not in
    `blocked_pairs`; of the first `most_blocks` blocks, in the order of their keys, if there are more."""
    limit = "" if most_blocks is None else f"ORDER BY blocking_key LIMIT {most_blocks}"
    members = f"""
        SELECT blocking_key, unnest(members) AS record_id FROM (
            SELECT blocking_key, list(record_id) AS members
            FROM block_keys ANTI JOIN repeats USING (record_id)
            JOIN (SELECT unnest($rules::VARCHAR[]) AS rule, unnest($caps::BIGINT[]) AS cap) USING (rule)
            GROUP BY blocking_key, cap
            HAVING count(*) BETWEEN 2 AND cap
            {limit}
        )
    """  # noqa: S608  a number of this code
    return unblocked_pairs_sql(members, "blocking_key")


def unblocked_pairs_sql(members_sql: str, group: str) -> str:
    """SQL for the pairs that are together in a group and not in `blocked_pairs`: match_key (Splink's), join_key_l <
    join_key_r, one row a pair. `members_sql` selects `group` and record_id, one row a member."""
    return f"""
        WITH members AS ({members_sql}), pairs AS (
            SELECT DISTINCT l.record_id AS join_key_l, r.record_id AS join_key_r
            FROM members AS l JOIN members AS r USING ({group})
            WHERE l.record_id < r.record_id
        )
        SELECT '0' AS match_key, join_key_l, join_key_r
        FROM pairs ANTI JOIN blocked_pairs USING (join_key_l, join_key_r)
    """  # noqa: S608  SQL of this code


def _parts_sql(rule: BlockingRule) -> str:
    return ", ".join(f"part_{number}" for number in range(len(rule.columns)))


def _exploded_sql(rule: BlockingRule) -> str:
    """Table `records` with one row a key: lists are unnested one inside the other, since DuckDB zips two lists
    of one SELECT instead of crossing them."""
    source = "records"
    for number, columns in enumerate(rule.columns):
        source = f"(SELECT *, {_part_sql(columns)} AS part_{number} FROM {source})"  # noqa: S608
    return source


def _part_sql(columns: Sequence[str]) -> str:
    if len(columns) == 1:
        return f'unnest("{columns[0]}")' if columns[0] in LIST_COLUMNS else f'"{columns[0]}"'
    pooled = [f'"{column}"' if column in LIST_COLUMNS else f'["{column}"]' for column in columns]
    return f"unnest(list_distinct(flatten([{', '.join(pooled)}])))"
