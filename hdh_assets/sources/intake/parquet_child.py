"""The child process of the Parquet gate: reads one file, bounded, and writes it as text on standard output.

Run as `python -m`; it ends with code 0 when every page was sound, 3 when a limit was met, 4 when a column has no text
(its position and name are then in the file, in place of what was there), anything else otherwise.
"""

from __future__ import annotations

import json
import os
import re
import resource
import sys
from decimal import Decimal
from typing import Any

TOO_COSTLY = 3
NO_TEXT = 4
_BATCH_ROWS = 8_192
_BATCH_BYTES = 32 * 1024 * 1024
_THRIFT_LIMIT = 64 * 1024 * 1024
_LONGEST_NAME = 200
_NAME = re.compile(r'[^",\x00-\x1f\x7f-\x9f]{1,200}')
"""What a declared column may be called; another name is told by its position, and could hold line endings."""
_MOST_DIGITS = 40
"""Before or after the point, of a number that is written without an exponent: no decimal has more."""
_UUID_BYTES = 16
_UUID_DIGITS = [place for place in range(36) if place not in {8, 13, 18, 23}]


class _NoTextError(Exception):
    """A column of a type that is never written as text, or of bytes that are none: position and name."""


def main(descriptor: int, memory_bytes: int, seconds: int) -> int:
    """Exit code of the reading."""
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        _convert(descriptor)
    except MemoryError:
        return TOO_COSTLY
    except _NoTextError as error:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(error.args).encode(), 0)
        return NO_TEXT
    except BaseException:
        return 1
    return 0


def _convert(descriptor: int) -> None:
    import pyarrow as pa  # noqa: PLC0415 - under the limits set above
    from pyarrow import csv, parquet  # noqa: PLC0415

    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    source = parquet.ParquetFile(
        f"/dev/fd/{descriptor}",
        page_checksum_verification=True,
        thrift_string_size_limit=_THRIFT_LIMIT,
        thrift_container_size_limit=_THRIFT_LIMIT,
        memory_map=False,
        buffer_size=1024 * 1024,
    )
    for position, field in enumerate(source.schema_arrow, start=1):
        try:
            _in_utc(pa.nulls(0, field.type)).cast(pa.string())
        except pa.ArrowNotImplementedError:
            raise _NoTextError(position, field.name[:_LONGEST_NAME]) from None
    names = source.schema_arrow.names
    uuids = {place for place in range(len(names)) if source.schema.column(place).logical_type.type == "UUID"}
    schema = pa.schema([(name if _NAME.fullmatch(name) else "?", pa.string()) for name in names])
    rows = 0
    with csv.CSVWriter(sys.stdout.buffer, schema, write_options=csv.WriteOptions(quoting_style="needed")) as writer:
        for batch in source.iter_batches(batch_size=_batch_rows(source.metadata), use_threads=False):
            batch.validate(full=True)
            rows += batch.num_rows
            texts = []
            for place, column in enumerate(batch.columns):
                try:
                    texts.append(_uuid_texts(column) if place in uuids else _texts(column))
                except pa.ArrowInvalid:
                    raise _NoTextError(place + 1, names[place][:_LONGEST_NAME]) from None
            writer.write_batch(pa.RecordBatch.from_arrays(texts, schema=schema))
    if rows != source.metadata.num_rows:
        raise ValueError("rows are missing")
    sys.stdout.buffer.flush()


def _batch_rows(metadata: Any) -> int:
    """Rows to read at a time: few where a row is a document."""
    groups = (metadata.row_group(place) for place in range(metadata.num_row_groups))
    longest = max((group.total_byte_size // max(1, group.num_rows) for group in groups), default=0)
    return max(1, min(_BATCH_ROWS, _BATCH_BYTES // max(1, longest)))


def _texts(column: Any) -> Any:
    """The values as text, numbers without an exponent where a decimal could have them."""
    import pyarrow as pa  # noqa: PLC0415
    from pyarrow import compute  # noqa: PLC0415

    texts = _in_utc(column).cast(pa.string())
    is_number = pa.types.is_decimal(column.type) or pa.types.is_floating(column.type)
    if not is_number or not compute.any(compute.match_substring(texts, "e", ignore_case=True)).as_py():
        return texts
    return pa.array([text if text is None else _written_out(text) for text in texts.to_pylist()], pa.string())


def _in_utc(column: Any) -> Any:
    """The column, its instants as those of UTC: which zone they are shown in changes no instant."""
    import pyarrow as pa  # noqa: PLC0415

    if pa.types.is_timestamp(column.type) and column.type.tz is not None:
        return column.cast(pa.timestamp(column.type.unit, "UTC"))
    return column


def _written_out(text: str) -> str:
    if "e" not in text and "E" not in text:
        return text
    value = Decimal(text)
    return f"{value:f}" if abs(value.adjusted()) <= _MOST_DIGITS else text


def _uuid_texts(column: Any) -> Any:
    """Identifiers of sixteen bytes in their canonical form."""
    import numpy as np  # noqa: PLC0415
    import pyarrow as pa  # noqa: PLC0415

    start, count = column.offset * _UUID_BYTES, len(column)
    octets = bytes(column.buffers()[1][start : start + count * _UUID_BYTES])
    written = np.full((count, 36), ord("-"), dtype=np.uint8)
    written[:, _UUID_DIGITS] = np.frombuffer(octets.hex().encode(), dtype=np.uint8).reshape(count, -1)
    is_null = column.is_null().to_numpy(zero_copy_only=False)
    return pa.array(written.view("S36").ravel(), mask=is_null).cast(pa.string())


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:4])))
