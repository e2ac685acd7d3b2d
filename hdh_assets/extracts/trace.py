"""Tracing: from an extract or a file to the producers' files it comes from, and from those to where they went."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hdh_assets.core.descriptor import Dataset
from hdh_assets.core.digests import sha256_of, short
from hdh_assets.core.errors import HubError, RefusedError
from hdh_assets.core.home import Home, Settings
from hdh_assets.extracts.provenance import Delivery, deliveries, feeding
from hdh_assets.extracts.row_trace import trace_row
from hdh_assets.extracts.versions import Version, check_readable, find_version, list_versions
from resources.lake import Lake, open_lake
from resources.releases import list_releases

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Trace:
    """What was found: `deliveries` the bytes come from, one row per producer's file; `uses` where they went."""

    subject: str
    kind: str
    deliveries: list[dict[str, Any]]
    uses: list[dict[str, Any]]

    def document(self) -> dict[str, Any]:
        """For `--json`."""
        return dict(vars(self))


def trace(home: Home, settings: Settings, what: str) -> Trace:
    """Follow `what`: `project/v1`, a file of an extract or of the lake, a producer's file or its SHA-256.

    Raises `HubError` when nothing in the hub answers to it.
    """
    lake = open_lake(home, settings)
    path = Path(what).expanduser().resolve()
    if path.exists():
        return _trace_path(home, lake, path)
    if what.startswith(lake.data_path) and _is_stored(lake, what):
        return _trace_lake_file(lake, what, what.removeprefix(lake.data_path))
    if _SHA256.fullmatch(what):
        return _trace_digest(home, lake, what, what)
    try:
        return _trace_version(find_version(home, what), None)
    except RefusedError:
        raise HubError(
            f"nothing is known of {what}",
            remedy="give an extract (`hdh extract list`), a file of an extract or of the lake, or a producer's file",
        ) from None


def trace_record(home: Home, settings: Settings, datasets: Mapping[str, Dataset], file: str, number: int) -> Trace:
    """From one row of a file of an extract to the producers' files that hold it (`row_trace.py`).

    Raises `HubError` when the file is not data of an extract, or holds no such row.
    """
    path = Path(file).expanduser().resolve()
    version = next((v for v in list_versions(home) if v.folder / "data" == path.parent and path.is_file()), None)
    if version is None:
        raise HubError(
            f"{file} is not a file of data of an extract",
            remedy="give one, for example hub/projects/PROJECT/v1/data/omop.drug_exposure.parquet",
        )
    check_readable(version)
    use = {"release": version.basis.release, "extract": version.name, "permit": version.basis.permit}
    rows = trace_row(home, settings, datasets, version, path, number)
    return Trace(f"one row of {version.name}/data/{path.name}", "a row of an extract", rows, [use])


def _trace_path(home: Home, lake: Lake, path: Path) -> Trace:
    for version in list_versions(home):
        if path == version.folder or version.folder in path.parents:
            return _trace_version(version, path)
    if not path.is_file():
        raise HubError(f"{path} is not a file, nor an extract", remedy="give one file of it")
    data = Path(lake.data_path).resolve()
    if data in path.parents:
        return _trace_lake_file(lake, str(path), str(path.relative_to(data)))
    return _trace_digest(home, lake, sha256_of(path), str(path))


def _is_stored(lake: Lake, address: str) -> bool:
    """Whether object storage has that file: an address alone is answered without looking, a folder is listed."""
    folder, _, _ = address.rpartition("/")
    with lake.reader() as engine:
        return (address,) in engine.execute("SELECT file FROM glob(?)", [f"{folder}/*"]).fetchall()


def _trace_version(version: Version, path: Path | None) -> Trace:
    """From its manifest alone: the extract carries its own provenance."""
    check_readable(version)
    name = str(path.relative_to(version.folder)) if path and path != version.folder else ""
    is_one = name.startswith("data/")
    tables = [f["table"] for f in version.files if "table" in f and (not is_one or f["name"] == name)]
    rows = [
        {
            "table": table,
            "dataset": found["dataset"],
            "period": found["period"],
            "delivery": short(delivery),
            "name": file,
            "sha256": sha256,
        }
        for table in tables
        for delivery, files in version.provenance[table].items()
        for found in [version.manifest["deliveries"][delivery]]
        for file, sha256 in files.items()
    ]
    release = version.manifest["release"]
    use = {"release": release["number"], "extract": version.name, "permit": version.basis.permit}
    return Trace(f"{version.name}{f'/{name}' if name else ''}", "an extract", rows, [use])


def _trace_lake_file(lake: Lake, subject: str, inside: str) -> Trace:
    """The lake keeps a table's files under `<schema>/<table>/`."""
    schema, _, rest = inside.partition("/")
    table, _, name = rest.partition("/")
    if not name:
        raise HubError(f"{subject} is in the folder of the lake's files, and no table's", remedy="give another file")
    with lake.reader() as engine:
        known = feeding(f"{schema}.{table}", deliveries(engine))
    return Trace(subject, f"a file of {schema}.{table} in the lake", _rows(known), [])


def _trace_digest(home: Home, lake: Lake, digest: str, subject: str) -> Trace:
    """Forward: the releases and extracts that hold a producer's file."""
    with lake.reader() as engine:
        known = [found for d in deliveries(engine, only_current=False) if (found := _named(d, digest)).files]
    if not known:
        raise HubError(f"no delivery has the file {subject}", remedy="see `hdh receipts` for what was accepted")
    digests = {delivery.digest for delivery in known}
    releases = [
        {"release": release.number, "extract": None, "table": None}
        for release in list_releases(lake)
        if digests & {found["digest"] for each in release.contents["deliveries"].values() for found in each}
    ]
    extracts = [
        {"release": version.basis.release, "extract": version.name, "table": table}
        for version in list_versions(home)
        for table, sources in version.provenance.items()
        if any(digest in {delivery, *files.values()} for delivery, files in sources.items())
    ]
    return Trace(subject, "a producer's file", _rows(known), releases + extracts)


def _named(delivery: Delivery, digest: str) -> Delivery:
    """The delivery with all its files when the digest is its own, else with those of that digest alone."""
    files = tuple(file for file in delivery.files if digest in {delivery.digest, file["sha256"]})
    return replace(delivery, files=files)


def _rows(known: Iterable[Delivery]) -> list[dict[str, Any]]:
    return [
        {
            "dataset": delivery.dataset,
            "period": delivery.period,
            "status": delivery.status,
            "delivery": short(delivery.digest),
            "name": file["name"],
            "sha256": file["sha256"],
        }
        for delivery in known
        for file in delivery.files
    ]
