"""Turns the values of one row into a record in the shape of docs/import.md, as a mapping says."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches

from cdp.intake.errors import MappingError
from cdp.intake.headers import guess_fields
from cdp.intake.mapping import FieldMapping, ImportMapping, Pattern
from cdp.intake.rows import RefusedRowError
from cdp.intake.shape import OBJECT_LIST_FIELDS, RECORD_FIELDS
from cdp.intake.transforms import Transform, TransformSpec, build_transform

Values = dict[str, object]


@dataclass(frozen=True)
class MappingPlan:
    """A mapping fitted to the columns of one file; it can be sent to a worker process.

    `fields` is None when rows are records already. `kept_columns` become attributes; `columns` is None when
    each row names its own keys.
    """

    fields: FieldMapping | None
    transforms: dict[str, tuple[TransformSpec, ...]]
    columns: tuple[str, ...] | None
    kept_columns: tuple[str, ...]
    unmapped: str
    occurred_at_formats: tuple[str, ...]

    @property
    def names_source(self) -> bool:
        return self._feeds("source")

    @property
    def names_key(self) -> bool:
        return self._feeds("source_record_id")

    def _feeds(self, field: str) -> bool:
        return self.fields is None or field in self.fields.texts


def plan_mapping(
    mapping: ImportMapping, columns: Sequence[str] | None, nested_columns: frozenset[str] = frozenset()
) -> MappingPlan:
    """Fit a mapping to a file. Raises MappingError when they do not fit, naming columns and fields."""
    fields, transforms = mapping.fields, dict(mapping.transforms)
    unused: list[str] = []
    if columns is not None:
        named = [name for name in columns if name]
        _require_columns(transforms, named)
        if fields is None:
            fields, guessed_transforms, unused = guess_fields(named, nested_columns)
            transforms = {**guessed_transforms, **transforms}
        else:
            _require_columns(fields.columns(), named)
            _refuse_constants_like_columns(fields, named)
            used = set(fields.columns())
            unused = [name for name in named if name not in used]
        if unused and mapping.unmapped == "error":
            raise MappingError(
                f"no field for the columns {', '.join(unused)}; name them in a mapping file, or say "
                f'unmapped = "attributes" (or "drop") in it.'
            )
    if fields is not None:
        _refuse_split_in_pattern(fields, transforms)
    kept = tuple(unused) if mapping.unmapped == "attributes" else ()
    return MappingPlan(
        fields,
        transforms,
        tuple(columns) if columns is not None else None,
        kept,
        mapping.unmapped,
        mapping.occurred_at_formats,
    )


def _require_columns(wanted: Iterable[str], columns: Sequence[str]) -> None:
    for name in wanted:
        if name not in columns:
            near = get_close_matches(name, columns, 1, 0.6)
            hint = f" ({near[0]}?)" if near else ""
            raise MappingError(
                f"the mapping names the column {name}, which the file does not have{hint}; "
                f"it has {', '.join(columns)}."
            )


def _refuse_constants_like_columns(fields: FieldMapping, columns: list[str]) -> None:
    for constant in fields.constants():
        if constant in columns:
            raise MappingError(
                f'"{constant}" is a constant in the mapping and a column of the file: write "{{{constant}}}" '
                f"for the column."
            )


def _refuse_split_in_pattern(fields: FieldMapping, transforms: dict[str, tuple[TransformSpec, ...]]) -> None:
    split = {column for column, specs in transforms.items() if any(each.name == "split" for each in specs)}
    alone = {
        pattern.columns[0]
        for pattern in [
            *(each for several in fields.lists.values() for each in several),
            *(entry[1] for entries in fields.objects.values() for entry in entries),
        ]
        if pattern.is_one_column
    }
    for path, pattern in fields.texts.items():
        for column in split.intersection(pattern.columns):
            if not path.startswith("attributes.") or not pattern.is_one_column:
                raise MappingError(f"{path} takes one value, and the column {column} is split into several.")
    for column in split.intersection(fields.columns()):
        if column not in alone and not _feeds_attribute(fields, column):
            raise MappingError(f"the column {column} is split; it must stand alone in a list.")


def _feeds_attribute(fields: FieldMapping, column: str) -> bool:
    return any(
        path.startswith("attributes.") and pattern.columns == (column,)
        for path, pattern in fields.texts.items()
    )


class RecordMapper:
    """Applies a plan to rows. `misfits` counts transforms that did not fit their cell, by column and name."""

    def __init__(self, plan: MappingPlan) -> None:
        self._plan = plan
        self._transforms: dict[str, list[tuple[str, Transform]]] = {
            column: [(spec.name, build_transform(spec)) for spec in specs]
            for column, specs in plan.transforms.items()
        }
        self._needed = plan.fields.columns() if plan.fields else []
        self._top_level = {name.partition(".")[0] for name in self._needed} | set(self._needed)
        self.misfits: dict[str, int] = {}
        self.seen_columns: set[str] = set()

    def to_record(self, values: Values) -> Values:
        """The record of a row. Raises RefusedRowError."""
        cells = self._cells(values)
        if self._plan.fields is None:
            record = self._with_unmapped_keys({**values, **cells} if cells else values)
        else:
            record = self._build(self._plan.fields, cells)
            self._keep_unmapped(record, values)
        if self._plan.occurred_at_formats:
            self._parse_occurred_at(record)
        return record

    def _cells(self, values: Values) -> Values:
        """The values of the columns that the fields need, transformed."""
        cells: Values = {}
        for column in self._needed:
            cells[column] = values[column] if column in values else self._nested_value(values, column)
        if self._plan.columns is None:
            self.seen_columns.update(name for name, value in cells.items() if value is not None)
        for column, transforms in self._transforms.items():
            cell = cells.get(column, values.get(column))
            if cell is not None and cell != "":
                cells[column] = self._transformed(column, cell, transforms)
        return cells

    @staticmethod
    def _nested_value(values: Values, path: str) -> object:
        value: object = values
        for name in path.split("."):
            if not isinstance(value, dict) or name not in value:
                return None
            value = value[name]
        return value

    def _transformed(self, column: str, cell: object, transforms: list[tuple[str, Transform]]) -> object:
        texts = (
            [_as_text(each, column) for each in cell] if isinstance(cell, list) else [_as_text(cell, column)]
        )
        several = isinstance(cell, list)
        for name, transform in transforms:
            results: list[str] = []
            for text in texts:
                try:
                    result = transform(text) if text else text
                except ValueError:
                    misfit = f"{column}: {name}"
                    self.misfits[misfit] = self.misfits.get(misfit, 0) + 1
                    result = text
                several = several or isinstance(result, list)
                results += result if isinstance(result, list) else [result]
            texts = results
        return texts if several else texts[0]

    def _build(self, fields: FieldMapping, cells: Values) -> Values:
        record: Values = {}
        for path, pattern in fields.texts.items():
            value = fill(pattern, cells, all_or_nothing=path == "source_record_id")
            if value is None:
                continue
            group, dot, key = path.partition(".")
            if dot:
                _group(record, group)[key] = value
            else:
                record[path] = value
        for name, patterns in fields.lists.items():
            filled = [value for pattern in patterns for value in _several(fill(pattern, cells))]
            if filled:
                record[name] = filled
        for name, entries in fields.objects.items():
            built = list(_object_entries(name, entries, cells))
            if built:
                record[name] = built
        for name, column in fields.whole.items():
            if cells[column] is not None:
                record[name] = cells[column]
        return record

    def _keep_unmapped(self, record: Values, values: Values) -> None:
        kept: Sequence[str] = self._plan.kept_columns
        if self._plan.columns is None:
            kept = [name for name in values if name not in self._top_level]
            if kept and self._plan.unmapped == "error":
                raise RefusedRowError(
                    "unknown_field", "the mapping gives this key no field", f"/{kept[0][:100]}"
                )
            if self._plan.unmapped == "drop":
                return
        for name in kept:
            value = values.get(name)
            if name in self._transforms and value not in (None, ""):
                value = self._transformed(name, value, self._transforms[name])
            value = value.strip() if isinstance(value, str) else value
            if value is not None and value != "":
                _group(record, "attributes").setdefault(name, value)

    def _with_unmapped_keys(self, record: Values) -> Values:
        """Rows that are records: what `unmapped` says of unknown keys; `error` is left to the check."""
        if self._plan.unmapped == "error":
            return record
        known = {name: value for name, value in record.items() if name in RECORD_FIELDS}
        if self._plan.unmapped == "attributes" and len(known) != len(record):
            attributes = known.get("attributes")
            unknown = {name: value for name, value in record.items() if name not in RECORD_FIELDS}
            known["attributes"] = {**unknown, **(attributes if isinstance(attributes, dict) else {})}
        return known

    def _parse_occurred_at(self, record: Values) -> None:
        text = record.get("occurred_at")
        if not isinstance(text, str):
            return
        for pattern in self._plan.occurred_at_formats:
            try:
                moment = datetime.strptime(text.strip(), pattern)  # noqa: DTZ007  The zone is applied later.
            except ValueError:
                continue
            record["occurred_at"] = moment.isoformat()
            return


def fill(pattern: Pattern, cells: Values, *, all_or_nothing: bool = False) -> object:
    """The value of a pattern, None when its columns are empty. A lone column keeps its type.

    Text beside an empty column is left out: `{street}, {number}` without a number is the street.
    """
    if not pattern.columns:
        return pattern.literals[0] or None
    if pattern.is_one_column:
        value = cells.get(pattern.columns[0])
        value = value.strip() if isinstance(value, str) else value
        return None if value == "" or value == [] else value
    result = ""
    for index, column in enumerate(pattern.columns):
        text = _as_text(cells.get(column), column).strip()
        if text:
            result += pattern.literals[index] if result or index == 0 else ""
            result += text
        elif all_or_nothing:
            return None
    if not result:
        return None
    last = _as_text(cells.get(pattern.columns[-1]), pattern.columns[-1]).strip()
    return result + (pattern.literals[-1] if last else "")


def _object_entries(
    name: str, entries: tuple[tuple[Pattern, Pattern], ...], cells: Values
) -> list[dict[str, object]]:
    label_key, value_key = OBJECT_LIST_FIELDS[name]
    return [
        {label_key: fill(label, cells), value_key: value}
        for label, pattern in entries
        for value in _several(fill(pattern, cells))
    ]


def _several(value: object) -> list[object]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _group(record: Values, name: str) -> Values:
    group = record.setdefault(name, {})
    assert isinstance(group, dict)
    return group


def _as_text(value: object, column: str) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    if isinstance(value, int | float):
        return str(value)
    raise RefusedRowError("wrong_type", "a list or an object where one value is wanted", column)
