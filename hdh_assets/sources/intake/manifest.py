"""The manifest of a delivery: its model, its strict reading, and which table a file belongs to.

A manifest is what a stranger wrote: it is bounded before it is parsed, and nothing in it is believed before it is
checked. Reading the files themselves belongs to `byte_gate.py`, writing a manifest to `seal.py`.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator, model_validator

from hdh_assets.core.descriptor import Dataset, Table
from hdh_assets.core.errors import HubError
from resources.inbox import MANIFEST, MAX_MANIFEST_BYTES

MAX_FILES = 10_000
MAX_FILE_BYTES = 1 << 46
MAX_ROWS = 1 << 48
FIRST_YEAR, LAST_YEAR = 1970, 9000
"""Between which a delivery may have been sealed."""

FileName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,199}\z")]
_FILE = re.compile(r"(?P<stem>[A-Za-z0-9_-]+)\.(?P<kind>csv|parquet)(?P<gz>\.gz)?\Z", re.IGNORECASE)
_PART = re.compile(r"(?P<table>.+?)[_-](?P<part>\d{1,6})\Z")


class ManifestError(HubError):
    """The manifest is not one; `rule` and `field` say where, the message what was expected."""

    def __init__(self, rule: str, field: str, expected: str) -> None:
        super().__init__(f"{MANIFEST}: {field}: {expected}")
        self.rule = rule
        self.field = field
        self.expected = expected


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class ManifestFile(_Strict):
    """One file of a delivery, as the producer sealed it."""

    name: FileName
    size: int = Field(ge=0, le=MAX_FILE_BYTES)
    """Bytes."""
    rows: int = Field(ge=0, le=MAX_ROWS)
    """Data rows, without the header."""
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}\z")]


class Manifest(_Strict):
    """What a delivery says it holds. One per delivery, written last."""

    dataset: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{1,62}\z")]
    period: Annotated[str, StringConstraints(pattern=r"^[0-9]{4}(-[0-9]{2}){0,2}\z")]
    descriptor_version: int = Field(ge=1, le=1_000_000)
    producer: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{1,62}\z")]
    files: tuple[ManifestFile, ...] = Field(min_length=1, max_length=MAX_FILES)
    sealed_at: Annotated[str, StringConstraints(max_length=40)]
    """ISO 8601, with its offset."""
    signature: Annotated[str, StringConstraints(max_length=4096)] | None = None

    @field_validator("files", mode="before")
    @classmethod
    def _as_tuple(cls, value: Any) -> Any:
        return tuple(value) if isinstance(value, list) else value

    @field_validator("sealed_at")
    @classmethod
    def _is_instant(cls, value: str) -> str:
        instant = datetime.fromisoformat(value)
        if instant.utcoffset() is None:
            raise ValueError("needs an offset")
        if not FIRST_YEAR <= instant.year <= LAST_YEAR:
            raise ValueError("needs a year of our time")
        return value

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [file.name.lower() for file in self.files]
        if len(set(names)) != len(names):
            raise ValueError("two files have the same name")
        if MANIFEST in names:
            raise ValueError("a manifest does not list itself")
        return self

    @property
    def sealed_instant(self) -> datetime:
        """When the producer sealed the delivery, in UTC."""
        return datetime.fromisoformat(self.sealed_at).astimezone(UTC)

    def to_bytes(self) -> bytes:
        """The canonical bytes whose digest identifies the delivery."""
        return (json.dumps(self.model_dump(mode="json"), indent=2, sort_keys=True) + "\n").encode("utf-8")


def digest_of(content: bytes) -> str:
    """Identity of a delivery: SHA-256 of the bytes of its manifest, in 64 hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def delivery_id(digest: str) -> UUID:
    """The first 128 bits of a digest, as the lake's `_delivery` holds them."""
    return UUID(digest[:32])


def parse_manifest(content: bytes) -> Manifest:
    """The manifest in these bytes. Raises `ManifestError`; the message never quotes what was found."""
    if len(content) > MAX_MANIFEST_BYTES:
        raise ManifestError("manifest_too_large", "file", f"at most {MAX_MANIFEST_BYTES} bytes are expected")
    try:
        data = json.loads(content.decode("utf-8"), object_pairs_hook=_no_duplicates, parse_constant=_no_constant)
    except ManifestError:
        raise
    except (ValueError, RecursionError):
        raise ManifestError("manifest_malformed", "file", "valid JSON in UTF-8 is expected") from None
    if not isinstance(data, dict):
        raise ManifestError("manifest_malformed", "file", "a JSON object is expected")
    try:
        return Manifest.model_validate(data)
    except ValidationError as error:
        raise _first_problem(error) from None


def table_of(dataset: Dataset, file_name: str) -> Table | None:
    """The table a file belongs to: its name in any case, then perhaps `_<part>`; None when there is none.

    `ER_PRS_F.csv`, `er_prs_f_002.csv.gz` and `patients.parquet` name `er_prs_f`, `er_prs_f` and `patients`.
    """
    found = _FILE.match(file_name)
    if not found or found["kind"].lower() != dataset.format.kind or (found["gz"] and dataset.format.kind == "parquet"):
        return None
    named = table_named(dataset.by_name, file_name)
    return dataset.by_name[named] if named else None


def table_named(tables: Collection[str], file_name: str) -> str | None:
    """The one of these tables, in lower case, that a file is named after, whatever its format."""
    if not (found := _FILE.match(file_name)):
        return None
    stem = found["stem"].lower()
    part = _PART.match(stem)
    return next((name for name in (stem, part["table"] if part else "") if name in tables), None)


def is_gzip(file_name: str) -> bool:
    """Whether the name says that the file is compressed."""
    return file_name.lower().endswith(".gz")


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) != len(pairs):
        raise ManifestError("manifest_malformed", "file", "a key appears twice in an object; each may appear once")
    return dict(pairs)


def _no_constant(_: str) -> Any:
    raise ValueError("not JSON")


def _first_problem(error: ValidationError) -> ManifestError:
    item = error.errors(include_input=False, include_url=False)[0]
    field = ".".join(str(part) for part in item["loc"]) or "files"
    if item["type"] == "extra_forbidden":
        return ManifestError("manifest_unknown_field", "file", "a field that a manifest does not have was found")
    rule = "file_name" if field.endswith(".name") else "manifest_malformed"
    rule = "duplicate_file" if field == "files" and item["type"] == "value_error" else rule
    return ManifestError(rule, field, item["msg"].removeprefix("Value error, "))
