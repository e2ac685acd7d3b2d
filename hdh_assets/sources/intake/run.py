"""Taking a delivery in: from a folder of the inbox to committed tables, or to a refusal, and always to a receipt.

The order of steps makes a crash harmless: everything is prepared in the run's folder, moved into the vault, then rows
and register are committed together, then come receipt and clean-up, which `recover` can redo. The gates themselves are
in the modules beside this one.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import duckdb

from hdh_assets.core.crash import crash_point
from hdh_assets.core.descriptor import Dataset
from hdh_assets.core.errors import ConfigurationError, HubError, disk_error
from hdh_assets.core.home import Home, Settings
from hdh_assets.sources.intake.admission import Admitted, Place, admit, check_folder
from hdh_assets.sources.intake.archive import forget, forget_rejected, keep, set_aside
from hdh_assets.sources.intake.delivery_load import DeliveryLoad, Loaded, Progress
from hdh_assets.sources.intake.lost import Lost, lost_deliveries
from hdh_assets.sources.intake.manifest import delivery_id, digest_of
from hdh_assets.sources.intake.origin import InboxOrigin, Origin, VaultOrigin
from hdh_assets.sources.intake.outcome import Task, accepted, already_received, refused
from hdh_assets.sources.intake.receipt import DeliveryRefusedError, Receipt
from hdh_assets.sources.intake.receipt_page import is_told, write_receipt
from hdh_assets.sources.opposed.intake import LoadedDelivery, opposed_kept_out
from resources.engine_errors import engine_failure
from resources.inbox import Dropped, holds, read_manifest, remove_folder
from resources.keys import open_keys
from resources.lake import Lake, bound_by_bytes, open_lake, transaction
from resources.lake_tables import (
    CONFLICT_REMEDY,
    DeliveryRow,
    delete_rows,
    deliveries,
    ensure_tables,
    find_committed,
    is_latest,
    register,
    rivals,
    supersede,
    type_conflicts,
)
from resources.ledger import Ledger
from resources.pseudonyms import Pseudonymiser, RunPseudonyms, open_pseudonymiser
from resources.vault import Vault, new_run_folder_name, open_vault


class NeverDeliveredError(HubError):
    """A period was asked for again of which nothing was ever accepted."""


class OriginalRefusedError(HubError):
    """What was once accepted would be refused now."""


@dataclass(frozen=True)
class Intake:
    """What intake works with, opened once: keys checked before a byte of input is read."""

    home: Home
    settings: Settings
    datasets: Mapping[str, Dataset]
    vault: Vault
    pseudonymiser: Pseudonymiser
    lake: Lake
    progress: Progress


def open_intake(
    home: Home, settings: Settings, datasets: Mapping[str, Dataset], on_progress: Progress | None = None
) -> Intake:
    """Open everything intake needs. Raises `KeyMaterialError` when a key is missing, empty or wrong."""
    keys = open_keys(home)
    progress = on_progress or (lambda _: None)
    vault, pseudonymiser = open_vault(home, keys), open_pseudonymiser(keys)
    return Intake(home, settings, datasets, vault, pseudonymiser, open_lake(home, settings), progress)


def take_in(
    home: Home,
    settings: Settings,
    datasets: Mapping[str, Dataset],
    dropped: Dropped,
    *,
    run_id: str,
    on_progress: Progress | None = None,
) -> Receipt:
    """Take one delivery in, whole or not at all; its receipt, written to the outbox.

    Bad input never raises: a refused delivery is a receipt of status `refused`, and lies in quarantine. Raises
    `KeyMaterialError` before reading a byte, and `HubError` when the hub itself fails (disk full, lake busy): the
    delivery then stays due.
    """
    with _told_by_the_disk():
        return _take_in(open_intake(home, settings, datasets, on_progress), dropped, run_id)


def _take_in(intake: Intake, dropped: Dropped, run_id: str) -> Receipt:
    content = _manifest(dropped)
    digest = dropped.digest if content is None else digest_of(content)
    place = Place(dropped.producer, dropped.dataset, dropped.period)
    ledger, name = Ledger(intake.home, intake.settings), new_run_folder_name()
    with intake.vault.run_folder(name) as folder:
        attempt = ledger.start(
            digest=digest,
            dataset=place.dataset,
            period=place.period,
            producer=place.producer,
            run_id=run_id,
            run_folder=name,
            folder=os.fsencode(dropped.folder).decode("utf-8", "backslashreplace"),
        )
        crash_point("intake.started")
        task = Task(place, dropped.folder, digest, content, run_id, folder, datetime.now(UTC))
        try:
            receipt = _answer(intake, task)
            path = _conclude(intake, task, receipt)
        except BaseException:
            ledger.finish(attempt, "failed")
            raise
        ledger.finish(attempt, receipt.status, str(path))
        crash_point("intake.finished")
    return receipt


def retake(
    home: Home,
    settings: Settings,
    datasets: Mapping[str, Dataset],
    dataset: str,
    period: str,
    *,
    run_id: str,
    on_progress: Progress | None = None,
    is_told: bool = True,
) -> Receipt:
    """Load a period's current delivery again from its encrypted original, under the descriptor and keys of today.

    So is a delivery that a lake restored from an older backup forgot, where it would be the current one. A period that
    a later one replaced is left alone: its receipt comes back. Raises `NeverDeliveredError` when nothing was ever
    accepted for the period, `OriginalRefusedError` when the descriptor of today refuses it (lake and receipt stay as
    they were), another `HubError` when its original was removed.

    Not `is_told`: the receipt stays as it is, and says nothing of it. That the deliveries in which somebody is were
    loaded again would tell which they are.
    """
    with _told_by_the_disk():
        return _retake(open_intake(home, settings, datasets, on_progress), dataset, period, run_id, is_told=is_told)


def _retake(intake: Intake, dataset: str, period: str, run_id: str, *, is_told: bool) -> Receipt:
    known, current = _wanted(intake, dataset, period)
    if current is None and not known:
        raise NeverDeliveredError(
            f"nothing was ever accepted for {dataset} {period}", remedy="deliver the period first"
        )
    if current is None:
        return _receipt_of(known[-1])
    original = intake.vault.original(dataset, period, current.digest)
    if not original.is_dir():
        raise HubError(
            f"the original of {dataset} {period} is no longer in the vault",
            remedy="restore the vault from a backup, or have the period delivered again; what is loaded stays",
        )
    with intake.vault.run_folder(new_run_folder_name()) as folder:
        place = Place(current.producer, dataset, period)
        content = (original / "manifest.json").read_bytes()
        task = Task(place, original, current.digest, content, run_id, folder, datetime.now(UTC))
        origin = VaultOrigin(intake.vault, original)
        try:
            admitted = admit(content, place, intake.datasets, task.started_at)
            with _engine(intake, task, is_new=False) as engine:
                given = deliveries(engine, dataset)
                former = next((row for row in given if row.digest == current.digest and not is_told), None)
                receipt = _load(intake, task, admitted, engine, given, origin, origin, former)
        except DeliveryRefusedError as error:
            rules = ", ".join(sorted({problem.rule for problem in error.problems}))
            raise OriginalRefusedError(
                f"the original of {dataset} {period} is refused now ({rules})",
                remedy="correct the descriptor, or have the period delivered again; what is loaded stays",
            ) from None
        if not _stays(former, receipt):
            write_receipt(intake.home, receipt)
    return receipt


def _wanted(intake: Intake, dataset: str, period: str) -> tuple[list[DeliveryRow], DeliveryRow | Lost | None]:
    """What the lake knows of a period, and what is in force there or would be had the lake not forgotten it."""
    ledger, described = Ledger(intake.home, intake.settings), {dataset: intake.datasets[dataset]}
    with intake.lake.reader() as engine:
        lost = lost_deliveries(intake.home, ledger, engine, described)
        known = [row for row in deliveries(engine, dataset) if row.period == period]
    forgotten = next((one for one in lost if one.period == period), None)
    return known, forgotten or next((row for row in known if row.status == "current"), None)


@contextmanager
def _told_by_the_disk() -> Iterator[None]:
    """Turn what the operating system refuses, at any step, into something to act on."""
    try:
        yield
    except OSError as error:
        raise disk_error(error) from None


def _manifest(dropped: Dropped) -> bytes | None:
    try:
        return read_manifest(dropped.folder)
    except FileNotFoundError:
        raise HubError(
            f"{dropped.dataset} {dropped.period} is no longer in the inbox",
            remedy="another run took it in; see its receipt with `hdh receipts`",
        ) from None


def _answer(intake: Intake, task: Task) -> Receipt:
    try:
        admitted = admit(task.content, task.place, intake.datasets, task.started_at)
        with _engine(intake, task, is_new=True) as engine:
            known = deliveries(engine, admitted.dataset.id)
            if own := next((row for row in known if row.digest == task.digest), None):
                answered = _receipt_of(own)
                # without a receipt the producer was never told: the disk failed after the commit
                return already_received(task, answered) if is_told(intake.home, answered) else answered
            check_folder(task.source, admitted.manifest)
            originals = task.run_folder / "originals"
            first = InboxOrigin(task.source, intake.vault, originals)
            return _load(intake, task, admitted, engine, known, first, VaultOrigin(intake.vault, originals))
    except DeliveryRefusedError as error:
        return refused(task, error)


@contextmanager
def _engine(intake: Intake, task: Task, *, is_new: bool) -> Iterator[duckdb.DuckDBPyConnection]:
    """A writer on the lake whose spill is encrypted in the run's folder and whose errors hold no value.

    What is not new comes from the vault, and stays there whatever happens.
    """
    spill = task.run_folder / "spill"
    spill.mkdir(mode=0o700)
    dataset = intake.datasets[task.place.dataset]
    try:
        with ExitStack() as opened:
            opened.enter_context(intake.vault.dataset_lock(dataset.id))
            if is_new:
                opened.enter_context(_vault_follows_lake(intake, task, dataset))
            engine = opened.enter_context(intake.lake.writer(spill=spill))
            ensure_tables(engine, {dataset.id: dataset})
            if conflicts := type_conflicts(engine, {dataset.id: dataset}):
                raise ConfigurationError(conflicts[0], remedy=CONFLICT_REMEDY)
            bound_by_bytes(engine)
            yield engine
    except duckdb.Error as error:
        raise engine_failure(error) from None


@contextmanager
def _vault_follows_lake(intake: Intake, task: Task, dataset: Dataset) -> Iterator[None]:
    """When the work fails, remove from the vault what it moved there, unless the lake has the delivery.

    Only the lake knows: a stop may come when the commit is done and nobody was told.
    """
    try:
        yield
    except BaseException:
        if find_committed(intake.lake, task.digest) is None:
            forget(intake.home, intake.vault, dataset, task.place, task.digest)
        raise


def _load(
    intake: Intake,
    task: Task,
    admitted: Admitted,
    engine: duckdb.DuckDBPyConnection,
    known: Sequence[DeliveryRow],
    first: Origin,
    again: Origin,
    former: DeliveryRow | None = None,
) -> Receipt:
    """Load, register and archive in one transaction. A delivery loaded before is replaced by itself.

    `known`: every accepted delivery of the dataset; `former`: that of which the receipt stays as it was given.
    """
    dataset, own = admitted.dataset, delivery_id(task.digest)
    others = [row for row in rivals(dataset, task.place.period, known) if row.delivery_id != own]
    is_current = is_latest(task.place.period, admitted.manifest.sealed_instant, task.digest, others)
    is_new = isinstance(first, InboxOrigin)
    with ExitStack() as until_committed, transaction(engine):
        if not is_new:
            delete_rows(engine, dataset, own)
        loaded = _delivery_load(intake, task, admitted, engine, first, again).run()
        kept_out = until_committed.enter_context(
            opposed_kept_out(
                engine,
                intake.vault,
                intake.pseudonymiser,
                intake.datasets,
                LoadedDelivery(dataset, own, task.run_folder, is_new),
            )
        )
        if is_current:
            supersede(engine, dataset, others)
        else:
            delete_rows(engine, dataset, own)
        receipt = accepted(task, admitted, loaded, kept_out, is_current=is_current)
        row = _row(admitted, loaded, receipt)
        register(engine, replace(row, receipt=former.receipt) if former and _stays(former, receipt) else row)
        keep(intake.home, intake.vault, task, dataset)
        crash_point("intake.before_commit")
    crash_point("intake.after_commit")
    if not receipt.rejected_count:
        forget_rejected(intake.home, task.place, task.digest)
    return receipt.model_copy(update={"data_version": _data_version(engine)})


def _delivery_load(
    intake: Intake, task: Task, admitted: Admitted, engine: duckdb.DuckDBPyConnection, first: Origin, again: Origin
) -> DeliveryLoad:
    return DeliveryLoad(
        engine=engine,
        admitted=admitted,
        delivery=delivery_id(task.digest),
        first=first,
        again=again,
        folder=task.run_folder,
        vault=intake.vault,
        pseudonyms=RunPseudonyms(intake.pseudonymiser),
        max_expansion=intake.settings.max_expansion,
        progress=intake.progress,
    )


def _row(admitted: Admitted, loaded: Loaded, receipt: Receipt) -> DeliveryRow:
    manifest = admitted.manifest
    return DeliveryRow(
        delivery_id=delivery_id(receipt.digest),
        digest=receipt.digest,
        dataset=receipt.dataset,
        period=receipt.period,
        producer=receipt.producer,
        status="current" if receipt.is_current else "superseded",
        loaded_at=receipt.finished_at,
        descriptor_version=admitted.dataset.version,
        row_count=receipt.row_count,
        rejected_count=receipt.rejected_count,
        tables=json.dumps(
            {name: {"rows": n, "rejected": loaded.rejected[name]} for name, n in loaded.inserted.items()}
        ),
        files=json.dumps([file.model_dump() for file in manifest.files]),
        receipt=receipt.to_json(),
        run_id=receipt.run_id,
        sealed_at=manifest.sealed_instant,
    )


def _stays(former: DeliveryRow | None, receipt: Receipt) -> bool:
    """Whether the receipt given before says of the rows what this one does: a descriptor may have changed since."""
    counts = (receipt.row_count, receipt.rejected_count)
    return former is not None and counts == (former.row_count, former.rejected_count)


def _receipt_of(row: DeliveryRow) -> Receipt:
    """The receipt that was given, of a delivery that another may have replaced since."""
    return Receipt.model_validate(row.receipt_data).model_copy(update={"is_current": row.status == "current"})


def _data_version(engine: duckdb.DuckDBPyConnection) -> str | None:
    found = engine.execute("SELECT id FROM lake.last_committed_snapshot()").fetchone()
    return str(found[0]) if found and found[0] is not None else None


def _conclude(intake: Intake, task: Task, receipt: Receipt) -> str:
    """Write the receipt, then empty the delivery's place in the inbox; the receipt's path. Can be done again.

    A delivery that a producer has put there meanwhile stays.
    """
    path = write_receipt(intake.home, receipt)
    crash_point("intake.after_receipt")
    is_there = holds(task.source, task.digest)
    if receipt.status == "refused":
        set_aside(intake.home, task.source if is_there else None, receipt)
    elif is_there:
        remove_folder(task.source, intake.home.inbox)
    crash_point("intake.after_cleanup")
    return str(path)
