"""The child process of the Parquet gate: reads one file, bounded, and writes it as text on standard output.

Run as `python -m`; it ends with code 0 when every page was sound, 3 when a limit was met, 4 when a column has no text
(its position and name are then in the file, in place of what was there), anything else otherwise.
"""

from __future__ import annotations

import json
import os
import resource
import sys

TOO_COSTLY = 3
NO_TEXT = 4
_BATCH_ROWS = 8_192
_THRIFT_LIMIT = 64 * 1024 * 1024
_LONGEST_NAME = 200


class _NoTextError(Exception):
    """A column of a type that is never written as text: position and name."""


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
            pa.nulls(0, field.type).cast(pa.string())
        except pa.ArrowNotImplementedError:
            raise _NoTextError(position, field.name[:_LONGEST_NAME]) from None
    schema = pa.schema([(name, pa.string()) for name in source.schema_arrow.names])
    rows = 0
    with csv.CSVWriter(sys.stdout.buffer, schema, write_options=csv.WriteOptions(quoting_style="needed")) as writer:
        for batch in source.iter_batches(batch_size=_BATCH_ROWS, use_threads=False):
            batch.validate(full=True)
            rows += batch.num_rows
            writer.write_batch(
                pa.RecordBatch.from_arrays([column.cast(pa.string()) for column in batch.columns], schema=schema)
            )
    if rows != source.metadata.num_rows:
        raise ValueError("rows are missing")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:4])))
