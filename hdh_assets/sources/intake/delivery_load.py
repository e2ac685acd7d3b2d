"""Loading a whole delivery inside one transaction: every file, its rejects, its keys; counts and problems come out.

The caller opens and ends the transaction. What is loaded stays invisible until it commits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import duckdb

from hdh_assets.core.crash import crash_point
from hdh_assets.core.descriptor import Table
from hdh_assets.sources.intake.admission import Admitted
from hdh_assets.sources.intake.diagnose import REJECTED, begin_keys, find_rejects, lines_of, rows_by_file, set_aside
from hdh_assets.sources.intake.identities import IdentityKeeper
from hdh_assets.sources.intake.key_gate import KeyFault, key_faults
from hdh_assets.sources.intake.load import FilePlan, OpenFile, load_file, open_file, streaming
from hdh_assets.sources.intake.manifest import ManifestFile
from hdh_assets.sources.intake.origin import Origin
from hdh_assets.sources.intake.receipt import (
    DeliveryRefusedError,
    Problem,
    TableCounts,
    problem,
    refuse,
)
from hdh_assets.sources.intake.row_rules import function_name, pseudonymised
from resources.lake_tables import table_sql
from resources.pseudonyms import RunPseudonyms
from resources.vault import Vault

Progress = Callable[[str], None]
_LONGEST_COLUMNS = 60
"""Characters of a key's columns in the name of a file of quarantine: a file's name has 255 at most."""


@dataclass
class Loaded:
    """What loading found: rows in, rows out, and why."""

    inserted: dict[str, int] = field(default_factory=dict)
    rejected: dict[str, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    by_rule: dict[str, dict[str, int]] = field(default_factory=dict)

    def add(self, table: Table, found: Iterable[Problem]) -> None:
        """Keep the problems of one table's rows, and count them by rule."""
        counts = self.by_rule.setdefault(table.lake_name, {})
        for item in found:
            counts[item.rule] = counts.get(item.rule, 0) + item.count
            self.problems.append(item)

    def tables(self) -> dict[str, TableCounts]:
        """Counts per table, by rule."""
        return {
            name: TableCounts(rows=rows, rejected=self.rejected[name], by_rule=self.by_rule.get(name, {}))
            for name, rows in self.inserted.items()
        }


@dataclass(frozen=True)
class DeliveryLoad:
    """One delivery on its way into the lake.

    `folder` is the run's own; `first` gives the bytes of its files, `again` gives them later.
    """

    engine: duckdb.DuckDBPyConnection
    admitted: Admitted
    delivery: UUID
    first: Origin
    again: Origin
    folder: Path
    vault: Vault
    pseudonyms: RunPseudonyms
    max_expansion: int
    progress: Progress

    def run(self) -> Loaded:
        """Load every file, then judge the keys. Raises `DeliveryRefusedError`."""
        dataset = self.admitted.dataset
        for table in dataset.tables:
            if identifiers := pseudonymised(table):
                self.pseudonyms.register(self.engine, function_name(table), identifiers)
        loaded = Loaded()
        with streaming(self.engine):
            for name, files in self.admitted.files.items():
                self._load_table(dataset.by_name[name], files, loaded)
        crash_point("intake.after_load")
        period = self.admitted.manifest.period
        begin_keys(self.engine)
        for fault in key_faults(self.engine, dataset, set(self.admitted.files), self.delivery, period):
            self._act_on(fault, loaded)
        crash_point("intake.after_keys")
        self._check_threshold(loaded)
        return loaded

    def _load_table(self, table: Table, files: tuple[ManifestFile, ...], loaded: Loaded) -> None:
        keeper = self._keeper(table)
        loaded.inserted[table.lake_name] = loaded.rejected[table.lake_name] = 0
        try:
            for file in files:
                self.progress(f"{self.admitted.dataset.id} {self.admitted.manifest.period}: {file.name}")
                self._load_file(self._plan(table, file), keeper, loaded)
        except BaseException:
            if keeper:
                keeper.abandon()
            raise
        if keeper:
            keeper.close()

    def _load_file(self, plan: FilePlan, keeper: IdentityKeeper | None, loaded: Loaded) -> None:
        self.pseudonyms.offer(self.engine)
        inserted = load_file(self.engine, open_file(plan, self.first, self.folder), keeper)
        loaded.inserted[plan.table.lake_name] += inserted
        missing = plan.file.rows - inserted
        crash_point("intake.after_file")
        if not missing:
            return
        opened = open_file(plan, self.again, self.folder)
        rejects = find_rejects(
            self.engine, opened, self.vault.writer(self.folder / REJECTED / f"{plan.file.name}.parquet")
        )
        if rejects.rows != missing:
            raise refuse("wrong_rows", file=plan.file.name, expected=plan.file.rows, found=inserted + rejects.rows)
        loaded.rejected[plan.table.lake_name] += rejects.rows
        loaded.add(plan.table, rejects.problems(plan.file.name, opened.checks))

    def _act_on(self, fault: KeyFault, loaded: Loaded) -> None:
        loaded.add(fault.table, self._told(fault) if fault.action != "count" else [_problem(fault, fault.rows)])
        if fault.action == "refuse":
            raise DeliveryRefusedError(loaded.problems)
        if fault.action == "reject":
            self.engine.execute(f"DELETE FROM {table_sql(self.admitted.dataset, fault.table)} WHERE {fault.where}")
            loaded.inserted[fault.table.lake_name] -= fault.rows
            loaded.rejected[fault.table.lake_name] += fault.rows

    def _told(self, fault: KeyFault) -> Iterator[Problem]:
        """One problem for each file concerned. Rows that are rejected go to quarantine.

        Of a delivery that is refused only the first file is read again, for its lines.
        """
        rows = rows_by_file(self.engine, self.admitted.dataset, fault)
        concerned = [file for file in self.admitted.files[fault.table.lake_name] if file.name in rows]
        for file in concerned:
            lines: list[int] = []
            with streaming(self.engine):
                if fault.action == "reject":
                    name = f"{file.name}.{_named(fault)}.parquet"
                    quarantine = self.vault.writer(self.folder / REJECTED / name)
                    lines = set_aside(self.engine, self._opened_again(fault, file), fault, quarantine)
                elif file is concerned[0]:
                    lines = lines_of(self.engine, self._opened_again(fault, file), fault)
            yield _problem(fault, rows[file.name], file.name, lines)

    def _opened_again(self, fault: KeyFault, file: ManifestFile) -> OpenFile:
        return open_file(self._plan(fault.table, file), self.again, self.folder)

    def _check_threshold(self, loaded: Loaded) -> None:
        limit = self.admitted.dataset.thresholds.max_reject_ratio
        for name, rejected in loaded.rejected.items():
            rows = loaded.inserted[name] + rejected
            # the quotient is the nearest to what is meant, as the limit is; their product with rows would be neither
            if rejected and rejected / rows > limit:
                expected, found = f"{limit:.2%}", f"{rejected / rows:.2%}"
                excess = problem(
                    "too_many_rejects",
                    count=rejected,
                    file=self.admitted.dataset.by_name[name].name,
                    expected=expected,
                    expected_fr=_in_french(expected),
                    found=f"{found} ({rejected} of {rows})",
                    found_fr=f"{_in_french(found)} ({rejected} sur {rows})",
                )
                raise DeliveryRefusedError([excess, *loaded.problems])

    def _keeper(self, table: Table) -> IdentityKeeper | None:
        if all(column.is_in_lake for column in table.columns):
            return None
        keeper = IdentityKeeper(self.vault, table, self.folder / "identities" / f"{table.lake_name}.parquet")
        keeper.register(self.engine)
        return keeper

    def _plan(self, table: Table, file: ManifestFile) -> FilePlan:
        manifest = self.admitted.manifest
        return FilePlan(self.admitted.dataset, table, file, self.delivery, manifest.period, self.max_expansion)


def _problem(fault: KeyFault, rows: int, file: str | None = None, lines: Iterable[int] = ()) -> Problem:
    return problem(
        fault.rule,
        file=file or fault.table.name,
        lines=lines,
        column=", ".join(fault.columns),
        count=rows,
        is_rejected=fault.action != "count",
        expected=fault.expected,
    )


def _named(fault: KeyFault) -> str:
    """A broken key in the name of a file: its rule, the table that lacks it if any, as many columns as have room.

    Of two foreign keys alike their number tells them apart.
    """
    columns = list(fault.columns)
    while len(columns) > 1 and len("-".join(columns)) > _LONGEST_COLUMNS:
        columns.pop()
    more = [f"and-{left}-more"] if (left := len(fault.columns) - len(columns)) else []
    rule = [f"{fault.rule}-{fault.number}", fault.expected] if fault.number else [fault.rule]
    return ".".join([*rule, "-".join([*columns, *more])])


def _in_french(share: str) -> str:
    return share.replace(".", ",").replace("%", " %")
