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
from typing import Annotated, Any, LiteralString, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator, model_validator
from pydantic_core import PydanticCustomError

from hdh_assets.core.column import Text
from hdh_assets.core.descriptor import LAST_VERSION, Dataset, Table
from hdh_assets.core.errors import HubError
from resources.inbox import MANIFEST, MAX_MANIFEST_BYTES

MAX_FILES = 10_000
MAX_FILE_BYTES = 1 << 46
MAX_ROWS = 1 << 48
FIRST_YEAR, LAST_YEAR = 1970, 9000
"""Between which a delivery may have been sealed."""

_EXPECTED: dict[str, Text] = {
    "missing": Text(en="this field is expected", fr="ce champ est attendu"),
    "string_type": Text(en="a text is expected", fr="un texte est attendu"),
    "string_too_long": Text(en="a shorter text is expected", fr="un texte plus court est attendu"),
    "int_type": Text(en="a whole number is expected", fr="un nombre entier est attendu"),
    "greater_than_equal": Text(en="a number from {ge} on is expected", fr="un nombre à partir de {ge} est attendu"),
    "less_than_equal": Text(en="a number up to {le} is expected", fr="un nombre d'au plus {le} est attendu"),
    "too_short": Text(en="one file at least is expected", fr="un fichier au moins est attendu"),
    "too_long": Text(en=f"at most {MAX_FILES} files are expected", fr=f"{MAX_FILES} fichiers au plus sont attendus"),
    "sealed_at": Text(
        en="an instant of our time with its offset is expected, as 2024-01-31T08:00:00+01:00",
        fr="un instant de notre temps avec son décalage est attendu, comme 2024-01-31T08:00:00+01:00",
    ),
    "same_name": Text(en="names that differ are expected", fr="des noms différents sont attendus"),
    "own_name": Text(en="a manifest that does not list itself is expected", fr="un manifeste ne se cite pas lui-même"),
    "too_large": Text(
        en=f"at most {MAX_MANIFEST_BYTES} bytes are expected", fr=f"{MAX_MANIFEST_BYTES} octets au plus sont attendus"
    ),
    "not_json": Text(en="valid JSON in UTF-8 is expected", fr="du JSON valide en UTF-8 est attendu"),
    "not_object": Text(en="a JSON object is expected", fr="un objet JSON est attendu"),
    "twice": Text(en="each key once in an object is expected", fr="chaque clé une fois par objet est attendue"),
    "extra_forbidden": Text(en="no field of that name is expected", fr="aucun champ de ce nom n'est attendu"),
}
"""What is expected where a manifest is wrong, by the kind of the error; its bounds are in braces."""
_ELSE = Text(
    en="the form that the producer's guide tells is expected", fr="la forme que dit le guide du producteur est attendue"
)

FileName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,199}\z")]
_FILE = re.compile(r"(?P<stem>[A-Za-z0-9_-]+)\.(?P<kind>csv|parquet)(?P<gz>\.gz)?\Z", re.IGNORECASE)
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})\Z"
)
_PART = re.compile(r"(?P<table>.+?)[_-](?P<part>[0-9]{1,6})\Z")


class ManifestError(HubError):
    """The manifest is not one; `rule` and `field` say where, the message what was expected.

    No field stands for the whole document.
    """

    def __init__(self, rule: str, field: str | None, expected: Text) -> None:
        super().__init__(": ".join(part for part in (MANIFEST, field, expected.en) if part))
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
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9A-Fa-f]{64}\z", to_lower=True)]


class Manifest(_Strict):
    """What a delivery says it holds. One per delivery, written last."""

    dataset: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{1,62}\z")]
    period: Annotated[str, StringConstraints(pattern=r"^[0-9]{4}(-[0-9]{2}){0,2}\z")]
    descriptor_version: int = Field(ge=1, le=LAST_VERSION)
    producer: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{1,62}\z")]
    files: tuple[ManifestFile, ...] = Field(min_length=1, max_length=MAX_FILES)
    sealed_at: Annotated[str, StringConstraints(max_length=40)]
    """RFC 3339: day, `T` or a space, time with seconds, offset."""
    signature: Annotated[str, StringConstraints(max_length=4096)] | None = None

    @field_validator("files", mode="before")
    @classmethod
    def _as_tuple(cls, value: Any) -> Any:
        return tuple(value) if isinstance(value, list) else value

    @field_validator("sealed_at")
    @classmethod
    def _is_instant(cls, value: str) -> str:
        # the reader below takes any character between day and hour, and forms of the week
        if not _INSTANT.match(value):
            raise _wrong("sealed_at")
        try:
            instant = datetime.fromisoformat(value)
        except ValueError:
            raise _wrong("sealed_at") from None
        if instant.utcoffset() is None or not FIRST_YEAR <= instant.year <= LAST_YEAR:
            raise _wrong("sealed_at")
        return value

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [file.name.lower() for file in self.files]
        if len(set(names)) != len(names):
            raise _wrong("same_name")
        if MANIFEST in names:
            raise _wrong("own_name")
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
        raise ManifestError("manifest_too_large", None, _EXPECTED["too_large"])
    try:
        data = json.loads(content.decode("utf-8"), object_pairs_hook=_no_duplicates, parse_constant=_no_constant)
    except ManifestError:
        raise
    except (ValueError, RecursionError):
        raise ManifestError("manifest_malformed", None, _EXPECTED["not_json"]) from None
    if not isinstance(data, dict):
        raise ManifestError("manifest_malformed", None, _EXPECTED["not_object"])
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
    found = part_named(tables, file_name)
    return found[0] if found else None


def part_named(tables: Collection[str], file_name: str) -> tuple[str, int | None] | None:
    """The one of these tables, in lower case, that a file is named after, and which part of it: None without a number.

    `v_1.csv` and `V_01.csv.gz` are the same part.
    """
    if not (found := _FILE.match(file_name)):
        return None
    stem = found["stem"].lower()
    if stem in tables:
        return stem, None
    part = _PART.match(stem)
    return (part["table"], int(part["part"])) if part and part["table"] in tables else None


def is_gzip(file_name: str) -> bool:
    """Whether the name says that the file is compressed."""
    return file_name.lower().endswith(".gz")


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) != len(pairs):
        raise ManifestError("manifest_malformed", None, _EXPECTED["twice"])
    return dict(pairs)


def _no_constant(_: str) -> Any:
    raise ValueError("not JSON")


def _first_problem(error: ValidationError) -> ManifestError:
    item = error.errors(include_input=False, include_url=False)[0]
    field = ".".join(str(part) for part in item["loc"]) or "files"
    expected, bounds = _EXPECTED.get(item["type"], _ELSE), item.get("ctx") or {}
    expected = Text(en=expected.en.format(**bounds), fr=expected.fr.format(**bounds))
    if item["type"] == "extra_forbidden":
        # the name of the field is the producer's, who may have written anything
        return ManifestError("manifest_unknown_field", ".".join(map(str, item["loc"][:-1])) or None, expected)
    if (field, item["type"]) == ("period", "string_pattern_mismatch"):
        return ManifestError("wrong_period", field, expected)
    rule = "file_name" if field.endswith(".name") else "manifest_malformed"
    rule = "duplicate_file" if item["type"] in {"same_name", "own_name"} else rule
    return ManifestError(rule, field, expected)


def _wrong(kind: LiteralString) -> PydanticCustomError:
    """An error of a kind of `_EXPECTED`: it quotes nothing."""
    return PydanticCustomError(kind, "see `_EXPECTED`")
