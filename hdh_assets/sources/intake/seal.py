"""Sealing a folder of files into a delivery: the manifest, written last, by rename.

A producer's tool: it reads files and writes one manifest; it judges neither names nor content (the gates do).
"""

from __future__ import annotations

import gzip
import stat
import zlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import numpy as np

from hdh_assets.core.descriptor import Dataset
from hdh_assets.core.digests import sha256_of
from hdh_assets.core.errors import HubError
from hdh_assets.core.files import write_atomically
from hdh_assets.core.periods import check_period
from hdh_assets.sources.intake.manifest import Manifest, ManifestFile, is_gzip
from resources.inbox import MANIFEST

_CHUNK = 4 * 1024 * 1024


def seal(
    folder: Path,
    dataset: Dataset,
    period: str,
    *,
    rows: Mapping[str, int] | None = None,
    sealed_at: datetime | None = None,
) -> Path:
    """Write `manifest.json` over every file of `folder`; its path. See `manifest_of`."""
    manifest = manifest_of(folder, dataset, period, rows=rows, sealed_at=sealed_at)
    return write_atomically(folder / MANIFEST, manifest.to_bytes())


def manifest_of(
    folder: Path,
    dataset: Dataset,
    period: str,
    *,
    rows: Mapping[str, int] | None = None,
    sealed_at: datetime | None = None,
) -> Manifest:
    """What seals every file of `folder`.

    `rows` gives the data rows of files already counted, by file name; the others are counted here. Same files and
    same `sealed_at` (default: now) give the same bytes. Raises `HubError` when the folder is empty or holds
    anything but plain files, or one is damaged so that its rows cannot be counted.
    """
    check_period(period, dataset.cadence)
    files = [_describe(path, dataset, (rows or {}).get(path.name)) for path in _plain_files(folder)]
    if not files:
        raise HubError(f"{folder} holds no file to seal", remedy="put the files of the period there first")
    return Manifest(
        dataset=dataset.id,
        period=period,
        descriptor_version=dataset.version,
        producer=dataset.producer.id,
        files=tuple(files),
        sealed_at=instant_text(sealed_at or datetime.now(UTC)),
    )


def instant_text(instant: datetime) -> str:
    """An instant as this hub writes it in a manifest."""
    return instant.astimezone(UTC).isoformat()


def count_records(chunks: Iterator[bytes], quote: str | None) -> int:
    """Records of a delimited file, the header included: line feeds outside quotes, and a last line without one."""
    mark = quote.encode("ascii") if quote else None
    records, is_open, last = 0, False, b"\n"
    for chunk in chunks:
        last = chunk[-1:] or last
        if mark is None or (not is_open and mark not in chunk):
            records += chunk.count(b"\n")
            continue
        octets = np.frombuffer(chunk, dtype=np.uint8)
        inside = np.logical_xor(np.logical_xor.accumulate(octets == mark[0]), is_open)
        records += int(np.count_nonzero((octets == 10) & ~inside))
        is_open = bool(inside[-1])
    return records + (last != b"\n")


def _plain_files(folder: Path) -> list[Path]:
    paths = sorted(path for path in folder.iterdir() if path.name != MANIFEST)
    for path in paths:
        if not stat.S_ISREG(path.lstat().st_mode):
            raise HubError(
                f"{path} is not a plain file", remedy="a delivery holds plain files only: no folder, no link"
            )
    return paths


def _describe(path: Path, dataset: Dataset, rows: int | None) -> ManifestFile:
    counted = _count_rows(path, dataset) if rows is None else rows
    return ManifestFile(name=path.name, size=path.stat().st_size, rows=counted, sha256=sha256_of(path))


def _count_rows(path: Path, dataset: Dataset) -> int:
    if dataset.format.kind == "parquet":
        return _count_parquet_rows(path)
    try:
        with gzip.open(path) if is_gzip(path.name) else path.open("rb") as file:
            return max(count_records(_chunks(file), dataset.format.quote) - 1, 0)
    except (EOFError, gzip.BadGzipFile, zlib.error):
        raise _damaged(path, "gzip") from None


def _count_parquet_rows(path: Path) -> int:
    import pyarrow as pa  # noqa: PLC0415 - slow to import, needed for Parquet alone
    from pyarrow import parquet  # noqa: PLC0415

    with path.open("rb") as file:
        try:
            return int(parquet.ParquetFile(file).metadata.num_rows)
        except (pa.ArrowException, OSError):
            raise _damaged(path, "Parquet") from None


def _damaged(path: Path, form: str) -> HubError:
    return HubError(
        f"{path.name} is damaged, or no {form} file: its rows cannot be counted",
        remedy="make it again, or copy it again from where it was made",
    )


def _chunks(file: IO[bytes] | gzip.GzipFile) -> Iterator[bytes]:
    while chunk := file.read(_CHUNK):
        yield chunk
