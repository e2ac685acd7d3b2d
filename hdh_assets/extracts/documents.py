"""What accompanies the data of an extract: dictionary, README, manifest. Pure text from plain values.

What differs between two builds (when, by which version of the hub) is in `build.json`, outside the manifest.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from hdh_assets.core.descriptor import Dataset
from hdh_assets.core.small_counts import SMALL_CELL, published
from hdh_assets.extracts.deliverable import ColumnWords, table_words
from hdh_assets.extracts.persons import Persons
from hdh_assets.extracts.plan import ColumnPlan, TablePlan
from hdh_assets.extracts.project_keys import KEY_VERSION
from hdh_assets.extracts.provenance import Delivery, feeding
from hdh_assets.governance.permit import Permit
from resources.releases import Release

MANIFEST = "manifest.json"
NOBODY = "nobody"
"""In the manifest of a version whose permit nobody meets; in no other: those delivered before stay the same bytes."""
BUILD = "build.json"
DICTIONARY = "dictionary.csv"
PAPERS = ("README.md", DICTIONARY, "dictionary.md", MANIFEST)
"""What goes with the data, the same in every build of a version."""


@dataclass(frozen=True)
class Basis:
    """What an extract is made from. Another basis is another version; the same basis gives the same bytes."""

    permit: int
    """Number of the project's permit."""
    release: int
    """Number of the release. It holds nobody who had objected when it was made."""


@dataclass(frozen=True)
class DataFile:
    """One file of an extract, as the manifest lists it. `rows` and `table` are None for documents."""

    name: str
    size: int
    sha256: str
    table: str | None = None
    rows: int | None = None


def dictionary_rows(plans: Sequence[TablePlan], datasets: Mapping[str, Dataset]) -> list[dict[str, str]]:
    """One row per delivered column."""
    rows = []
    for plan in plans:
        words = table_words(datasets, plan.name).columns
        rows += [_dictionary_row(plan, column, words.get(column.name, ColumnWords(""))) for column in plan.columns]
    return rows


def _dictionary_row(plan: TablePlan, column: ColumnPlan, words: ColumnWords) -> dict[str, str]:
    return {
        "table": plan.name,
        "column": column.name,
        "type": column.delivered_type,
        "unit": words.unit,
        "codes": words.codes,
        "description": words.description,
        "description_fr": words.description_fr,
        "treatment": column.treatment.value,
    }


def dictionary_csv(rows: Sequence[Mapping[str, str]]) -> str:
    """The dictionary for machines: comma, UTF-8, one header line."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def dictionary_md(
    plans: Sequence[TablePlan], datasets: Mapping[str, Dataset], rows: Sequence[Mapping[str, str]]
) -> str:
    """The dictionary for people."""
    tables = [
        {
            "name": plan.name,
            "words": table_words(datasets, plan.name),
            "columns": [row for row in rows if row["table"] == plan.name],
            "withheld": plan.withheld,
        }
        for plan in plans
    ]
    return render("dictionary.md.j2", tables=tables)


def readme(permit: Permit, release: Release, version: int, files: Sequence[DataFile], persons: Persons) -> str:
    """What this is, how to read it, what binds the reader."""
    return render(
        "readme.md.j2",
        permit=permit,
        release=release,
        version=version,
        tables=[file for file in files if file.table],
        largest=max((file for file in files if file.table), key=lambda file: file.rows or 0),
        published=published,
        persons=published(persons.known),
        others=published(persons.others),
        are_asked_about=persons.are_asked_about,
        nobody=_meets_nobody(permit, persons),
        small_cell=SMALL_CELL,
        key_version=KEY_VERSION,
    )


def manifest(
    permit: Permit,
    release: Release,
    version: int,
    basis: Basis,
    files: Iterable[DataFile],
    plans: Sequence[TablePlan],
    known: Sequence[Delivery],
    persons: Persons,
) -> str:
    """The manifest: permit, release, files with checksums, and the producers' files each table comes from."""
    sources = {plan.name: feeding(plan.name, known) for plan in plans}
    used = {delivery.digest: delivery.summary() for found in sources.values() for delivery in found}
    document: dict[str, Any] = {
        "format": 2,
        "project": permit.project,
        "version": version,
        "basis": asdict(basis),
        "permit": permit.model_dump(mode="json", by_alias=True, exclude={"updates"}),  # says when, not what
        "release": {
            "number": release.number,
            "snapshot": release.snapshot_id,
            "made_at": release.created_at.isoformat(),
            "code_commit": release.code_commit,
        },
        "pseudonym_key_version": KEY_VERSION,
        "files": [{k: v for k, v in asdict(file).items() if v is not None} for file in files],
        "provenance": {
            name: {delivery.digest: delivery.digests() for delivery in found} for name, found in sources.items()
        },
        "deliveries": used,
    } | ({NOBODY: True} if _meets_nobody(permit, persons) else {})
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _meets_nobody(permit: Permit, persons: Persons) -> bool:
    return persons.are_none and not permit.population.is_everybody


def render(template: str, **values: Any) -> str:
    """A text of the `templates` folder with these values."""
    return _environment().get_template(template).render(**values)


@cache
def _environment() -> Environment:
    folder = Path(__file__).with_name("templates")
    return Environment(  # noqa: S701 - Markdown, not HTML
        loader=FileSystemLoader(folder),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
