"""The DuckDB workspace of one batch: opened, filled with standardized records, closed and forgotten.

DuckDB computes and never remembers; whatever it spills goes to a directory that is removed.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Collection, Iterable, Iterator, Sequence

import duckdb
import orjson
import pyarrow as pa

from resolution.columns import LINKAGE_COLUMNS, LIST_COLUMNS, NAMING_COLUMNS, SHAREABLE_COLUMNS
from resolution.errors import FailedConditionError, WorkspaceFullError
from resolution.sharing import Value, held_columns, most_holders, windows
from resolution.specification import Specification

# (record_id, source, source_record_id, standardized record as JSON text with the object `linkage`)
StoredRecord = tuple[int, str, str, str]
# Chunks of (record_id, day), of the records that have a date.
RecordDays = Iterable[Sequence[tuple[int, int]]]

ARRIVED = pa.schema(
    {
        "record_id": pa.int64(),
        "source": pa.string(),
        "source_record_id": pa.string(),
        "standardized": pa.string(),
    }
)

# DuckDB keeps rows in groups of this many. Appending fewer at a time rewrites the last group again and again: a million
# records take four times as long in tens of thousands.
ROW_GROUP = 122_880

# The same as keys.value_key.
VALUE_KEY_SQL = "(md5_number_lower(concat_ws(chr(31), 'value ' || column_name, value)) >> 1)::BIGINT"


@contextlib.contextmanager
def open_workspace(*, memory_limit: str = "3GB", threads: int = 2) -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB in memory that spills to a temporary directory. One thread of Python uses it.

    Raises WorkspaceFullError, from the block too, when neither holds what is done there, and FailedConditionError when
    the SQL of a model fails on values of records.
    """
    with tempfile.TemporaryDirectory(prefix="cdp-batch-") as spill:
        connection = duckdb.connect(
            ":memory:", config={"memory_limit": memory_limit, "threads": threads, "temp_directory": spill}
        )
        try:
            yield connection
        except (duckdb.OutOfMemoryException, duckdb.IOException) as error:
            raise WorkspaceFullError(
                f"{memory_limit} of memory and the free disk under {tempfile.gettempdir()} are not enough for it."
            ) from error
        except (duckdb.DataError, duckdb.InvalidInputException) as error:
            # Its message quotes values of people.
            raise FailedConditionError(
                f"A condition of the model fails on values of records ({type(error).__name__}): guard it, with "
                "TRY_CAST, nullif or a condition before it."
            ) from error
        finally:
            connection.close()


def load_records(connection: duckdb.DuckDBPyConnection, chunks: Iterable[Sequence[StoredRecord]]) -> int:
    """Fill table `loaded`; returns how many records came.

    Grain: one row a record, with record_key_rank (its place in the order of record keys), linkage_hash (the same for
    records that say the same) and one column a linkage column, absent values null.
    """
    shape = {column: ["VARCHAR"] if column in LIST_COLUMNS else "VARCHAR" for column in LINKAGE_COLUMNS}
    columns = ", ".join(
        f"{column} {'VARCHAR[]' if column in LIST_COLUMNS else 'VARCHAR'}" for column in LINKAGE_COLUMNS
    )
    connection.execute(
        f"CREATE TABLE loaded (record_key_rank BIGINT, record_id BIGINT, linkage_hash UBIGINT, {columns})"
    )
    connection.execute("CREATE TABLE keys (record_id BIGINT, source VARCHAR, source_record_id VARCHAR)")
    count = 0
    for rows in _row_groups(chunks):
        connection.register("arrived", rows)
        connection.execute("INSERT INTO keys SELECT record_id, source, source_record_id FROM arrived")
        connection.execute(
            "INSERT INTO loaded SELECT NULL, record_id, hash(linkage), unnest(linkage) FROM ("
            "SELECT record_id, struct_extract(from_json(standardized, ?), 'linkage') AS linkage FROM arrived)",
            [orjson.dumps({"linkage": shape}).decode()],
        )
        connection.unregister("arrived")
        count += len(rows)
    # Ranked apart: a window would carry all columns through its sort.
    connection.execute(
        "UPDATE loaded SET record_key_rank = rank FROM ("
        "SELECT record_id, row_number() OVER (ORDER BY source, source_record_id) AS rank FROM keys) AS ranked "
        "WHERE ranked.record_id = loaded.record_id"
    )
    connection.execute("DROP TABLE keys")
    return count


def _row_groups(chunks: Iterable[Sequence[StoredRecord]]) -> Iterator[pa.Table]:
    """The records in tables of one row group each, the last with what is left."""
    waiting = ARRIVED.empty_table()
    for chunk in filter(None, chunks):
        columns = zip(ARRIVED, zip(*chunk, strict=True), strict=True)
        arrays = [pa.array(values, field.type) for field, values in columns]
        waiting = pa.concat_tables([waiting, pa.table(arrays, schema=ARRIVED)])
        while len(waiting) >= ROW_GROUP:
            yield waiting.slice(0, ROW_GROUP)
            waiting = waiting.slice(ROW_GROUP)
    if len(waiting):
        yield waiting


def part_shared_values(
    connection: duckdb.DuckDBPyConnection,
    specification: Specification,
    held: Collection[Value] = (),
    *,
    days: RecordDays = (),
) -> None:
    """Table `value_classes`, one row per value whose holders exceed the limits or that is held, and table `records`:
    `loaded` with generic values taken out and shared ones moved to the columns shared_<column>.

    Holders are people-like: different first names by sound among the records that hold the value. Held: values that
    count as shared at least, however few hold them. Days: of the records that have a date; read where holders count
    within a window.
    """
    connection.execute(
        "CREATE TABLE value_classes "
        "(column_name VARCHAR, value VARCHAR, holder_count BIGINT, sharing VARCHAR, is_held BOOLEAN)"
    )
    most = most_holders(specification)
    if windows(specification):
        _load_days(connection, days)
    for column, limits in specification.sharing.items():
        bound = {
            "column": column,
            "generic": limits.generic,
            "shared": limits.shared,
            "held": sorted({value for of_column, value in held if of_column == column}),
        }
        if limits.window_days is not None:
            connection.execute(_windowed_classes_sql(column, most), bound | {"window": limits.window_days})
            continue
        connection.execute(
            f"""
            INSERT INTO value_classes
            SELECT $column, value, least(count(DISTINCT given_sound), {most}) AS holder_count,
                   CASE WHEN count(DISTINCT given_sound) > $generic THEN 'generic' ELSE 'shared' END,
                   bool_or(is_held)
            FROM (SELECT given_sound, unnest({_quoted(column)}) AS value, false AS is_held FROM loaded
                  UNION ALL SELECT NULL, unnest($held::VARCHAR[]), true)
            GROUP BY value
            HAVING count(DISTINCT given_sound) > $shared OR bool_or(is_held)
            """,  # noqa: S608  a linkage column
            bound,
        )
    connection.execute(f"CREATE TABLE records AS {_parted_sql(list(specification.sharing))}")


def _load_days(connection: duckdb.DuckDBPyConnection, days: RecordDays) -> None:
    """Table `record_days` (record_id, day): the records that have a date."""
    connection.execute("CREATE TABLE record_days (record_id BIGINT, day BIGINT)")
    for chunk in filter(None, days):
        columns = zip(("record_id", "day"), zip(*chunk, strict=True), strict=True)
        rows = pa.table({name: pa.array(values, pa.int64()) for name, values in columns})
        connection.register("arrived", rows)
        connection.execute("INSERT INTO record_days SELECT record_id, day FROM arrived")
        connection.unregister("arrived")


def _windowed_classes_sql(column: str, most: int) -> str:
    """SQL that does for `value_classes` what part_shared_values does, by the names that a window saw at most; as
    sharing.count_within counts them. A window that says the most begins on the day of a record."""
    return f"""
        INSERT INTO value_classes
        WITH held AS (SELECT DISTINCT unnest($held::VARCHAR[]) AS value),
        holdings AS (
            SELECT value, given_sound, day
            FROM (SELECT record_id, given_sound, unnest({_quoted(column)}) AS value FROM loaded)
            LEFT JOIN record_days USING (record_id)
            WHERE given_sound IS NOT NULL
        ),
        -- One row per value that may be shared: no window sees more names than there are.
        many AS (
            SELECT value FROM holdings GROUP BY value HAVING count(DISTINCT given_sound) > $shared
            UNION SELECT value FROM held
        ),
        begins AS (SELECT DISTINCT value, day FROM holdings SEMI JOIN many USING (value)),
        -- One row per value and window.
        seen AS (
            SELECT begins.value, begins.day, count(DISTINCT holdings.given_sound) AS holder_count
            FROM begins JOIN holdings ON holdings.value = begins.value AND (
                holdings.day IS NULL OR holdings.day BETWEEN begins.day AND begins.day + $window - 1
            )
            GROUP BY begins.value, begins.day
        ),
        counted AS (SELECT value, max(holder_count) AS holder_count FROM seen GROUP BY value)
        SELECT $column, value, least(coalesce(holder_count, 0), {most}),
               CASE WHEN holder_count > $generic THEN 'generic' ELSE 'shared' END,
               held.value IS NOT NULL
        FROM many LEFT JOIN counted USING (value) LEFT JOIN held USING (value)
        WHERE holder_count > $shared OR held.value IS NOT NULL
        """  # noqa: S608  a linkage column


def find_nobodies(connection: duckdb.DuckDBPyConnection) -> None:
    """Table `nobodies` (record_id): the records that name nobody, as keys.names_somebody has it."""
    nothing = " AND ".join(f"{_quoted(column)} IS NULL" for column in NAMING_COLUMNS)
    connection.execute(f"CREATE TABLE nobodies AS SELECT record_id FROM loaded WHERE {nothing}")  # noqa: S608


def holders_sql(specification: Specification) -> str:
    """SQL for one row per value of a record whose holders count: value_key, given_sound ('' for none), record_id."""
    rows = " UNION ALL ".join(
        f"""SELECT '{column}' AS column_name, unnest({_quoted(column)}) AS value, given_sound, record_id FROM loaded"""  # noqa: S608
        for column in held_columns(specification)
    )
    return f"SELECT {VALUE_KEY_SQL} AS value_key, coalesce(given_sound, ''), record_id FROM ({rows})"  # noqa: S608


def _parted_sql(columns: Sequence[str]) -> str:
    """SQL for the records of `loaded` with the values of `columns` parted by `value_classes`."""
    parted = ",\n".join(
        f"""parted_{column} AS (
            SELECT record_id,
                   list(value ORDER BY value) FILTER (WHERE sharing IS NULL) AS own,
                   list(value ORDER BY value) FILTER (WHERE sharing = 'shared') AS shared
            FROM (SELECT record_id, unnest({_quoted(column)}) AS value FROM loaded)
            LEFT JOIN (SELECT value, sharing FROM value_classes WHERE column_name = '{column}') USING (value)
            GROUP BY record_id HAVING count(sharing) > 0)"""  # noqa: S608
        for column in columns
    )
    replaced = ", ".join(
        f"CASE WHEN parted_{column}.record_id IS NULL THEN loaded.{column} ELSE parted_{column}.own END AS {column}"
        for column in columns
    )
    shared = "".join(
        f", parted_{column}.shared AS shared_{column}"
        if column in columns
        else f", NULL::VARCHAR[] AS shared_{column}"
        for column in dict.fromkeys((*SHAREABLE_COLUMNS, *columns))
    )
    joins = "\n".join(f"LEFT JOIN parted_{column} USING (record_id)" for column in columns)
    prefix = f"WITH {parted} " if columns else ""
    replacing = f"REPLACE ({replaced})" if columns else ""
    return f"{prefix}SELECT loaded.* {replacing}{shared} FROM loaded {joins}"  # noqa: S608


def _quoted(name: str) -> str:
    if name not in LINKAGE_COLUMNS:
        raise ValueError(name)
    return f'"{name}"'
