"""The gate of manifests: whether a folder is the delivery its manifest says, before any of its files is opened.

Names, places, sizes and kinds of files only; their bytes belong to the gates that follow.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain
from pathlib import Path

from hdh_assets.core.descriptor import Dataset
from hdh_assets.core.periods import check_period
from hdh_assets.sources.intake.manifest import (
    Manifest,
    ManifestError,
    ManifestFile,
    parse_manifest,
    part_named,
    table_of,
)
from hdh_assets.sources.intake.receipt import DeliveryRefusedError, Problem, problem, refuse
from resources.inbox import MANIFEST, opened_folder

_CLOCK_TOLERANCE = timedelta(days=1)
_FIELDS_FR = {"dataset": "jeu de données", "period": "période", "producer": "producteur"}
_OTHER_FR = {"dataset": "un autre jeu de données", "period": "une autre période", "producer": "un autre producteur"}
_ANOTHERS_FOLDER = ("the folder of another producer", "le dossier d'un autre producteur")


@dataclass(frozen=True)
class Place:
    """Where a delivery lies, by the names of its folders."""

    producer: str
    dataset: str
    period: str


@dataclass(frozen=True)
class Admitted:
    """A delivery whose manifest is sound and agrees with the descriptor: its files by table, in order."""

    manifest: Manifest
    dataset: Dataset
    files: dict[str, tuple[ManifestFile, ...]]


def admit(content: bytes | None, place: Place, datasets: Mapping[str, Dataset], now: datetime) -> Admitted:
    """What a manifest's bytes announce. Raises `DeliveryRefusedError` listing all that is wrong.

    The latest seal decides which delivery of a period counts, the latest period which snapshot is shown: so neither
    may come from the future, but for a clock that is a little fast.
    """
    if content is None:
        raise refuse("manifest_not_a_file", file=MANIFEST)
    try:
        manifest = parse_manifest(content)
    except ManifestError as error:
        raise _malformed(error, datasets.get(place.dataset)) from None
    dataset = datasets.get(place.dataset)
    if dataset is None:
        raise refuse("unknown_dataset", file=MANIFEST)
    problems = [*_misplaced(manifest, place, dataset), *_mistimed(manifest, dataset, now), *_tables(manifest, dataset)]
    if problems:
        raise DeliveryRefusedError(problems)
    files = {
        table.lake_name: tuple(file for file in manifest.files if table_of(dataset, file.name) is table)
        for table in dataset.tables
    }
    return Admitted(manifest, dataset, {table: found for table, found in files.items() if found})


def _malformed(error: ManifestError, dataset: Dataset | None) -> DeliveryRefusedError:
    """The refusal of what is no manifest. A period in a form of its own is told in the words of periods."""
    if error.rule != "wrong_period":
        expected = error.expected
        return refuse(error.rule, file=MANIFEST, column=error.field, expected=expected.en, expected_fr=expected.fr)
    if dataset is None:
        return refuse("unknown_dataset", file=MANIFEST)
    return refuse("wrong_period", file=MANIFEST, expected=dataset.first_period)


def check_folder(folder: Path, manifest: Manifest) -> None:
    """Compare a folder with its manifest, opening nothing. Raises `DeliveryRefusedError` listing all that is wrong."""
    try:
        with opened_folder(folder) as place, os.scandir(place) as entries:
            found = {entry.name: entry.stat(follow_symlinks=False) for entry in entries if entry.name != MANIFEST}
    except NotADirectoryError:
        raise refuse("manifest_not_a_file", file=MANIFEST) from None
    problems = _contents(found, manifest)
    if (first := next(problems, None)) is not None:
        raise DeliveryRefusedError(chain([first], problems))


def _contents(found: Mapping[str, os.stat_result], manifest: Manifest) -> Iterator[Problem]:
    listed = {file.name: file for file in manifest.files}
    for name in sorted(found.keys() - listed.keys()):
        rule = "surplus_file" if is_plain(found[name]) else "not_a_plain_file"
        yield problem(rule, file=_printable(name))
    for name, file in listed.items():
        if name not in found:
            yield problem("missing_file", file=name)
        elif not is_plain(found[name]):
            yield problem("not_a_plain_file", file=name)
        elif found[name].st_size != file.size:
            yield problem("wrong_size", file=name, expected=file.size, found=found[name].st_size)


def _misplaced(manifest: Manifest, place: Place, dataset: Dataset) -> Iterator[Problem]:
    expected = {"dataset": place.dataset, "period": place.period, "producer": dataset.producer.id}
    for field, value in expected.items():
        if getattr(manifest, field) != value:
            found = f"another {field} in the manifest", f"{_OTHER_FR[field]} dans le manifeste"
            yield _wrong_place(field, _printable(value), found, MANIFEST)
    if place.producer != dataset.producer.id:
        yield _wrong_place("producer", dataset.producer.id, _ANOTHERS_FOLDER)
    if manifest.descriptor_version > dataset.version:
        yield problem("newer_descriptor", file=MANIFEST, expected=dataset.version)


def _wrong_place(field: str, expected: str, found: tuple[str, str], file: str | None = None) -> Problem:
    """`found` is in English and French."""
    return problem(
        "wrong_place",
        file=file,
        expected=expected,
        field=field,
        field_fr=_FIELDS_FR[field],
        found=found[0],
        found_fr=found[1],
    )


def _mistimed(manifest: Manifest, dataset: Dataset, now: datetime) -> Iterator[Problem]:
    if not is_deliverable(dataset, manifest.period, now):
        yield problem("wrong_period", file=MANIFEST, expected=dataset.first_period)
    if manifest.sealed_instant > now + _CLOCK_TOLERANCE:
        yield problem("sealed_in_the_future", file=MANIFEST)


def is_deliverable(dataset: Dataset, period: str, now: datetime) -> bool:
    """Whether it is a period of the dataset, from the first declared one to the one in progress."""
    try:
        check_period(period, dataset.cadence)
    except ValueError:
        return False
    return dataset.first_period <= period <= (now + _CLOCK_TOLERANCE).strftime(dataset.period_format)


def _tables(manifest: Manifest, dataset: Dataset) -> Iterator[Problem]:
    tables = {file.name: table_of(dataset, file.name) for file in manifest.files}
    for name, table in tables.items():
        if table is None:
            expected = ", ".join(table.name for table in dataset.tables)
            yield problem("unknown_table", file=name, kind=dataset.format.kind, expected=expected)
    parts: set[tuple[str, int | None]] = set()
    for name, table in tables.items():
        part = part_named(dataset.by_name, name) if table else None
        if part in parts:
            yield problem("same_part", file=name)
        elif part:
            parts.add(part)
    for table in dataset.tables:
        if not table.optional and table not in tables.values():
            yield problem("missing_table", expected=table.name)


def is_plain(found: os.stat_result) -> bool:
    """Whether it is a file under one name: what has another could be changed, or be somebody else's, elsewhere."""
    return stat.S_ISREG(found.st_mode) and found.st_nlink == 1


def _printable(name: str) -> str:
    return ascii(name)[1:-1][:200]
