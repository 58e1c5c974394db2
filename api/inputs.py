"""Reading what callers send: JSON that cannot hurt, problems that say where."""

from __future__ import annotations

import json
import math
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache, wraps
from typing import Any, NamedTuple, NoReturn, TypeVar, cast
from uuid import uuid4

import marshmallow as ma
from flask import Request
from flask_smorest import Blueprint
from gunicorn.http.errors import ParseException
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import ClientDisconnected, HTTPException, RequestEntityTooLarge

from api.context import current_request
from api.errors import PROBLEM_TYPE, Problem, ProblemSchema
from api.loading import Load, load_of
from api.nesting import DEPTH_LIMIT, cut_deep_elements, depth_of

# A number of more digits is no quantity that anybody means; longer ones cost quadratic time to read.
DIGIT_LIMIT = 40
PAGE_LIMIT = 200
SMALL_BODY_BYTES = 64 * 1024
_PURPOSE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{1,63}")
_TOO_DEEP = f"It is nested more than {DEPTH_LIMIT} levels deep."
_UNCLEAN_ESCAPE = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
_SURROGATE = re.compile("[\ud800-\udfff]")
View = TypeVar("View", bound=Callable[..., Any])
_LOCATION_POINTERS = {"json": "", "query": "/query", "querystring": "/query", "headers": "/headers"}


class JsonParser(FlaskParser):
    """webargs with our own reading of JSON and problems for its errors."""

    def parse(
        self, argmap: Any, req: Request | None = None, *, location: str | None = None, **kwargs: Any
    ) -> Any:
        """As webargs does, by a shorter way for what comes with most requests: what an absent query string means is
        worked out once, and a body is loaded by the schema and nothing else."""
        if isinstance(argmap, ma.Schema):
            if (
                location == "query"
                and not current_request().query_string
                and (meant := _of_nothing(argmap)) is not None
            ):
                return dict(meant)
            if location == "json":
                return _load_body(argmap)
        return super().parse(argmap, req, location=location, **kwargs)

    def load_json(self, req: Request, schema: ma.Schema) -> Any:
        return read_json(req)

    def handle_error(
        self,
        error: ma.ValidationError,
        req: Request,
        schema: ma.Schema,
        *,
        error_status_code: int | None,
        error_headers: Mapping[str, str] | None,
    ) -> NoReturn:
        errors = []
        for location, messages in error.normalized_messages().items():  # type: ignore[no-untyped-call]
            errors += _told(messages, _LOCATION_POINTERS.get(location, f"/{location}"))
        raise Problem("validation_failed", errors=errors)


def _load_body(schema: ma.Schema) -> Any:
    try:
        return _loads(schema)(read_json(current_request()))
    except ma.ValidationError as error:
        raise Problem("validation_failed", errors=_told(error.normalized_messages(), "")) from None  # type: ignore[no-untyped-call]


def _told(messages: Any, start: str) -> list[dict[str, str]]:
    return [{"pointer": pointer, "detail": detail} for pointer, detail in _flattened(messages, start)]


@cache
def _loads(schema: ma.Schema) -> Load:
    return load_of(schema)


@cache
def _of_nothing(schema: ma.Schema) -> Mapping[str, Any] | None:
    """What the schema makes of no parameters; None where it requires some."""
    try:
        loaded: Mapping[str, Any] = schema.load({})
    except ma.ValidationError:
        return None
    return loaded


class ApiBlueprint(Blueprint):
    """A flask-smorest blueprint whose arguments JsonParser reads, with headers described beside them.

    Its other decorators describe a view and leave it as it is. Those of smorest wrap it once for each thing that they
    tell of it, and every request goes through all of them; here, views make their responses themselves.
    """

    ARGUMENTS_PARSER = JsonParser()

    def refuses(self, status: int, description: str) -> Callable[[View], View]:
        """Describes a problem that a call may be answered with."""
        return self.alt_response(
            status, schema=ProblemSchema, content_type=PROBLEM_TYPE, description=description
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._prepare_doc_cbks.append(_keep_arguments)

    @staticmethod
    def doc(**told: Any) -> Callable[[View], View]:
        return _described(Blueprint.doc(**told))

    def response(self, *told: Any, **more: Any) -> Callable[[View], View]:
        return _described(super().response(*told, **more))

    def alt_response(self, *told: Any, **more: Any) -> Callable[[View], View]:
        return _described(super().alt_response(*told, **more))

    def arguments(self, schema: ma.Schema, *, location: str = "json", **told: Any) -> Callable[[View], View]:
        describe = _described(super().arguments(schema, location=location, **told))
        parse = self.ARGUMENTS_PARSER.parse

        def reading(view: View) -> View:
            @wraps(view)
            def read_and_answer(*before: Any, **parts: Any) -> Any:
                return view(*before, parse(schema, location=location), **parts)

            return cast(View, describe(read_and_answer))

        return reading


def _described(describe: Callable[[View], Any]) -> Callable[[View], View]:
    """What smorest's decorator would hang on a wrapper of the view hangs on the view itself."""

    def described(view: View) -> View:
        view._apidoc = describe(view)._apidoc  # type: ignore[attr-defined]
        return view

    return described


def _keep_arguments(doc: dict[str, Any], doc_info: dict[str, Any], **_: Any) -> dict[str, Any]:
    """The parameters that a view describes itself stand beside those of its schemas; smorest would replace them."""
    described = doc_info.get("manual_doc", {}).pop("parameters", [])
    if described:
        doc.setdefault("parameters", []).extend(described)
    return doc


class PageSchema(ma.Schema):
    limit = ma.fields.Integer(
        load_default=50,
        validate=ma.validate.Range(min=1, max=PAGE_LIMIT),
        metadata={"description": "How many to return at most."},
    )
    cursor = ma.fields.String(
        validate=ma.validate.Length(max=200),
        metadata={"description": "`next_cursor` of the page before; opaque."},
    )


class Flaw(NamedTuple):
    """In the place of a value that cannot be read safely, and why."""

    detail: str


def read_json(req: Request) -> Any:
    """The body as JSON values. Raises Problem for what is no JSON, ambiguous, or made to hurt.

    Refused beyond RFC 8259: duplicate names, NaN and infinities, lone surrogates, NUL, nesting and numbers
    past the limits.
    """
    return parse_json(_read_body(req))


def read_flawed_json(
    req: Request, *, elements_of: str, unpacked_limit: int | None = None
) -> tuple[Any, bool]:
    """As read_json, where one bad value is to stop no other: a Flaw stands in the place of a value that read_json
    would refuse, texts that are not clean stay; find_flaw finds both. The second part: whether there is any.

    Elements of: the name of a list in the body; only of its elements one may nest too deep and stop no other.
    unpacked_limit: of bytes, where the body may come packed by gzip.
    """
    body = _read_body(req) if unpacked_limit is None else _read_packed_body(req, unpacked_limit)
    if depth_of(body) <= DEPTH_LIMIT:
        return _parse(body)
    mark = uuid4().hex
    body, count = cut_deep_elements(body, f'"{mark}"'.encode())
    value, is_flawed = _parse(body)
    if count != _put_flaws(value.get(elements_of) if isinstance(value, dict) else None, mark):
        raise _too_deep()
    return value, is_flawed or count > 0


def _put_flaws(elements: Any, mark: str) -> int:
    """A Flaw in the place of each mark among the elements; how many there were."""
    places = (
        [place for place, each in enumerate(elements) if each == mark] if isinstance(elements, list) else []
    )
    for place in places:
        elements[place] = Flaw(_TOO_DEEP)
    return len(places)


def _too_deep() -> Problem:
    return Problem("malformed_json", _TOO_DEEP)


def take_in_body() -> bool:
    """Keep the body for when it is read; False where it is large, of a length that nobody said, or refused later on."""
    request = current_request()
    length = request.content_length
    if length is None or length > SMALL_BODY_BYTES:
        return False
    try:
        request.get_data()
    except HTTPException:
        return False
    return True


def _read_packed_body(req: Request, limit: int) -> bytes:
    body = _read_body(req, may_be_packed=True)
    if _coding(req) == "gzip":
        body = _unpack(body, limit)
    if len(body) > limit:
        raise Problem("body_too_large", f"Send {limit:,} bytes at most.")
    return body


def _read_body(req: Request, *, may_be_packed: bool = False) -> bytes:
    if not (req.mimetype == "application/json" or req.mimetype.endswith("+json")):
        raise Problem("unsupported_media_type", "Send the body as application/json.")
    if _coding(req) not in ("", "identity", *(("gzip",) if may_be_packed else ())):
        accepted = "with no Content-Encoding but gzip" if may_be_packed else "without a Content-Encoding"
        raise Problem("unsupported_media_type", f"Send the body {accepted}.")
    try:
        # Under a key, the call is told from others by its body too.
        body = req.get_data(cache="Idempotency-Key" in req.headers)
        # gunicorn ends the stream where the connection does, and werkzeug cuts it at the limit: both look whole.
        if len(body) < (req.content_length or 0):
            raise ClientDisconnected
        if (
            req.content_length is None
            and len(body) == req.max_content_length
            and req.environ["wsgi.input"].read(1)
        ):
            raise RequestEntityTooLarge
    except ClientDisconnected:
        raise Problem("bad_request", "The body ended before its Content-Length.") from None
    except ParseException:
        raise Problem("bad_request", "The chunks of the body are not as HTTP has them.") from None
    return body


def _coding(req: Request) -> str:
    """Source of the other name: RFC 9110, 8.4.1.3."""
    coding = (req.content_encoding or "").strip().lower()
    return "gzip" if coding == "x-gzip" else coding


def _unpack(body: bytes, limit: int) -> bytes:
    """As much as may be and a byte more, however much is packed in there."""
    reader = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        unpacked = reader.decompress(body, limit + 1)
    except zlib.error:
        raise Problem("bad_request", "The body is not packed by gzip as its Content-Encoding says.") from None
    if len(unpacked) <= limit and not reader.eof:
        raise Problem("bad_request", "The packed body ends too early.")
    # What is packed in a second piece would be lost without a word.
    if reader.unused_data:
        raise Problem("bad_request", "Something follows the packed body: pack it in one piece.")
    return unpacked


def parse_json(body: bytes) -> Any:
    value, is_flawed = _parse(body)
    found = find_flaw(value) if is_flawed else None
    if found is not None:
        pointer, detail = found
        raise Problem("malformed_json", detail, errors=[{"pointer": pointer, "detail": detail}])
    return value


def _parse(body: bytes) -> tuple[Any, bool]:
    """With a Flaw in the place of each value that cannot be read; and whether there may be something for find_flaw."""
    if depth_of(body) > DEPTH_LIMIT:
        raise _too_deep()
    is_flawed = False

    def flaw(detail: str) -> Flaw:
        nonlocal is_flawed
        is_flawed = True
        return Flaw(detail)

    def object_of(pairs: list[tuple[str, Any]]) -> Any:
        value = dict(pairs)
        return value if len(value) == len(pairs) else flaw("An object has the same name twice.")

    def integer(digits: str) -> Any:
        return (
            int(digits)
            if len(digits) <= DIGIT_LIMIT
            else flaw(f"A number has more than {DIGIT_LIMIT} digits.")
        )

    def number(digits: str) -> Any:
        value = float(digits) if len(digits) <= 400 else math.inf
        return value if math.isfinite(value) else flaw("A number is out of range.")

    try:
        text = body.decode("utf-8")
        value = json.loads(
            text,
            object_pairs_hook=object_of,
            parse_int=integer,
            parse_float=number,
            parse_constant=lambda name: flaw(f"{name} is not JSON."),
        )
    except UnicodeDecodeError:
        raise Problem("malformed_json", "It is not UTF-8.") from None
    except json.JSONDecodeError as error:
        raise Problem("malformed_json", f"Line {error.lineno}, column {error.colno}: {error.msg}.") from None
    # Only escapes can bring in what UTF-8 and JSON themselves forbid.
    return value, is_flawed or _UNCLEAN_ESCAPE.search(text) is not None


def find_flaw(value: Any, pointer: str = "") -> tuple[str, str] | None:
    """Pointer and detail of the first Flaw or unclean text in a value; None when there is none."""
    if isinstance(value, Flaw):
        return pointer, value.detail
    if isinstance(value, str):
        is_clean = "\x00" not in value and _SURROGATE.search(value) is None
        return None if is_clean else (pointer, "A text holds NUL or half a character (a lone surrogate).")
    inside: Iterable[tuple[str, Any]] = ()
    if isinstance(value, list):
        inside = ((str(place), each) for place, each in enumerate(value))
    elif isinstance(value, dict):
        for name in value:
            if found := find_flaw(name, pointer):
                return found
        inside = value.items()
    for step, each in inside:
        if found := find_flaw(each, f"{pointer}/{_step(step)}"):
            return found
    return None


def _step(name: str) -> str:
    """One step of a JSON pointer (RFC 6901), not too long."""
    return name[:64].replace("~", "~0").replace("/", "~1")


def read_purpose() -> str | None:
    """The header CDP-Purpose: a code such as `ticket:4711`, no sentence, since the audit keeps it."""
    purpose = current_request().headers.get("CDP-Purpose")
    if purpose is not None and not _PURPOSE.fullmatch(purpose):
        detail = "Two to 64 letters, digits and . _ : - (a code such as ticket:4711)."
        raise Problem("validation_failed", errors=[{"pointer": "/headers/CDP-Purpose", "detail": detail}])
    return purpose


def _flattened(messages: Any, pointer: str) -> Iterator[tuple[str, str]]:
    """marshmallow's nested messages as (pointer, message); names are escaped as RFC 6901 says."""
    if isinstance(messages, Mapping):
        for name, nested in messages.items():
            step = "" if name == "_schema" else f"/{_step(str(name))}"
            yield from _flattened(nested, pointer + step)
    elif isinstance(messages, list):
        for message in messages:
            yield from _flattened(message, pointer)
    else:
        yield pointer, str(messages)
