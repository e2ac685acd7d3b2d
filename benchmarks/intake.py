"""Intake of ER_PRS_F, every column, from sealed CSV to committed lake table with all gates and rules on, against a bare
DuckDB `COPY` of the same CSV to Parquet in the same run.

    python -m benchmarks.intake [--million 5] [--repeat 1] [--keep]

Prints seconds, lines a second, peak memory and the ratio. Targets on 2 cores: ratio at most 2.0, memory under 2 GiB.
The other tables of the delivery hold their header alone.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path

import duckdb

from benchmarks.dropping import drop
from hdh_assets.core.column import Column
from hdh_assets.core.descriptor import Dataset
from hdh_assets.core.descriptor_files import load_datasets
from hdh_assets.core.home import Home, Settings
from hdh_assets.sources.intake.run import take_in
from hdh_assets.sources.intake.seal import seal

WORK = Path(__file__).resolve().parent / ".work" / "intake"
DATASET, TABLE, PERIOD = "snds_dcir", "er_prs_f", "2024-01"
_LINES_OF_ONE_PERSON = 30


def main() -> None:
    """Make the file, time both, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--million", type=float, default=5, help="lines of ER_PRS_F, in millions")
    parser.add_argument("--repeat", type=int, default=1, help="times each is run; the best counts")
    parser.add_argument("--keep", action="store_true", help="keep the generated file for the next run")
    parser.add_argument("--child", choices=("copy", "intake"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    lines = int(options.million * 1e6)
    if options.child:
        _child(options.child, lines)
        return
    dropped = _delivery(lines)
    _report(dropped, lines, options.repeat)
    if not options.keep:
        shutil.rmtree(WORK)


def _report(dropped: Path, lines: int, repeat: int) -> None:
    size = (dropped / "ER_PRS_F.csv").stat().st_size
    print(f"ER_PRS_F: {lines:,} lines, {size / 1e9:.2f} GB")
    runs: dict[str, list[tuple[float, float, float]]] = {"copy": [], "intake": []}
    for _ in range(repeat):
        for kind, results in runs.items():
            results.append(_timed(kind, lines))
    best = {kind: min(results) for kind, results in runs.items()}
    for kind, (seconds, cpu, memory) in best.items():
        speed = f"{lines / seconds:,.0f} lines/s"
        print(f"{kind:7}{seconds:8.1f} s {cpu:8.1f} s of processor {speed:>18} {memory:6.2f} GiB at most")
    elapsed, processor = (best["intake"][part] / best["copy"][part] for part in (0, 1))
    print(f"ratio  {elapsed:.2f} elapsed, {processor:.2f} of processor")


def _timed(kind: str, lines: int) -> tuple[float, float, float]:
    command = [sys.executable, "-m", "benchmarks.intake", "--child", kind, "--million", str(lines / 1e6)]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return float(printed[0]), float(printed[1]), float(printed[2])


def _child(kind: str, lines: int) -> None:
    source = _folder(lines)
    target = WORK / kind
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    run = _prepare_copy(source, target) if kind == "copy" else _prepare_intake(source, target, lines)
    for path in source.iterdir():
        with path.open("rb") as file:
            while file.read(1 << 24):
                pass
    started, used = time.perf_counter(), time.process_time()
    run()
    seconds, used = time.perf_counter() - started, time.process_time() - used
    print(seconds, used, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2)
    shutil.rmtree(target)


def _prepare_copy(source: Path, target: Path):  # type: ignore[no-untyped-def]
    engine = duckdb.connect()
    sql = f"COPY (FROM read_csv('{source / 'ER_PRS_F.csv'}')) TO '{target / 'er_prs_f.parquet'}' (FORMAT parquet)"
    return lambda: engine.execute(sql)


def _prepare_intake(source: Path, target: Path, lines: int):  # type: ignore[no-untyped-def]
    home, datasets = Home(target), load_datasets()
    dropped = drop(source, home, DATASET, PERIOD)

    def run() -> None:
        receipt = take_in(home, Settings.load(home), datasets, dropped, run_id="benchmark")
        if receipt.status != "accepted" or receipt.row_count != lines:
            raise SystemExit(receipt.to_json())

    return run


def _folder(lines: int) -> Path:
    return WORK / f"delivery_{lines}"


def _delivery(lines: int) -> Path:
    folder, dataset = _folder(lines), load_datasets()[DATASET]
    if not (folder / "manifest.json").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for table in dataset.tables:
            name = folder / f"{table.name}.csv"
            if table.lake_name == TABLE:
                _generate(dataset, name, lines)
            else:
                name.write_text(";".join(column.name for column in table.columns) + "\n")
        seal(folder, dataset, PERIOD, rows={"ER_PRS_F.csv": lines})
    return folder


def _generate(dataset: Dataset, path: Path, lines: int) -> None:
    key = {name.lower() for name in dataset.by_name[TABLE].primary_key}
    columns = dataset.by_name[TABLE].columns
    values = ", ".join(f"{_value(c, n, c.lake_name in key)} AS {c.name}" for n, c in enumerate(columns))
    engine = duckdb.connect()
    engine.execute("SET memory_limit = '2GB'")
    engine.execute(
        f"COPY (SELECT {values} FROM range({lines}) line(n)) TO '{path}' (FORMAT csv, DELIMITER ';', HEADER, QUOTE '')"
    )


def _value(column: Column, number: int, is_key: bool) -> str:
    """SQL of a plausible value of that column for line `n`; a third of the optional columns are half empty."""
    if column.name == "DCT_ORD_NUM":
        return "n // 10"
    if column.name == "PRS_ORD_NUM":
        return "n % 10 + 1"
    draw = "1::UBIGINT" if is_key else f"hash(n, {number})"
    if column.name == "BEN_NIR_PSA":
        return f"lpad((hash(n // {_LINES_OF_ONE_PERSON}) % 100000000000000000)::VARCHAR, 17, 'A')"
    value = _typed(column, draw)
    return (
        value
        if is_key or number % 3 or not column.nullable
        else f"CASE WHEN hash(n, {number}, 1) % 2 = 0 THEN {value} END"
    )


def _typed(column: Column, draw: str) -> str:
    if column.codes:
        codes = ", ".join(f"'{code}'" for code in column.codes)
        return f"[{codes}][1 + ({draw} % {len(column.codes)})::INTEGER]"
    match column.kind:
        case "integer":
            return f"{draw} % 9"
        case "decimal":
            return f"printf('%.2f', ({draw} % 900) / 100.0)"
        case "date":
            return f"strftime(DATE '2023-12-01' + ({draw} % 60)::INTEGER, '%d/%m/%Y')"
        case "yearmonth":
            return f"strftime(DATE '2023-01-01' + ({draw} % 400)::INTEGER, '%Y%m')"
        case "year":
            return f"1920 + {draw} % 100"
        case _:
            length = min(column.length or 9, 9)
            return f"lpad(({draw} % {10 ** min(length, 3)})::VARCHAR, {length}, '0')"


if __name__ == "__main__":
    main()
