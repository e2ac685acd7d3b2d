"""After a crash: finish what was committed, make due again what was not, remove what no run owns any more."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext, suppress
from pathlib import Path

from hdh_assets.core.descriptor import Dataset
from hdh_assets.core.errors import LakeBusyError
from hdh_assets.core.home import Home, Settings
from hdh_assets.sources.intake.admission import Place
from hdh_assets.sources.intake.archive import forget
from hdh_assets.sources.intake.receipt import Receipt, read_receipt, receipt_folder
from hdh_assets.sources.intake.receipt_page import write_receipt
from resources.inbox import holds, remove_folder, remove_unfinished
from resources.keys import open_keys
from resources.lake import open_lake
from resources.lake_tables import DeliveryRow, find_committed
from resources.ledger import Attempt, Ledger, Status
from resources.oppositions import remove_unfinished_books
from resources.vault import Vault, is_run_alive, open_vault, remove_dead_run_folders


def recover(home: Home, settings: Settings, datasets: Mapping[str, Dataset]) -> list[str]:
    """Bring ledger, inbox, vault and outbox in line with the lake; what was done, in words.

    The lake is the truth: a delivery it registers is finished (receipt, clean-up), never loaded again; any other
    becomes due again. Runs still alive are left alone, so it may be called at any time; what they load may be the very
    delivery of a dead one, which then waits for the next call.
    """
    ledger = Ledger(home, settings)
    dead = [attempt for attempt in ledger.under_way() if not is_run_alive(home, attempt.run_folder)]
    done = []
    if dead:
        lake, vault = open_lake(home, settings), open_vault(home, open_keys(home))
        for attempt in dead:
            alone = vault.dataset_lock(attempt.dataset, 0) if attempt.dataset in datasets else nullcontext()
            with suppress(LakeBusyError), alone:
                row = find_committed(lake, attempt.digest)
                status, words = _finish(home, attempt, row) if row else _release(home, vault, datasets, attempt)
                ledger.finish(attempt, status)
                done.append(f"{attempt.dataset} {attempt.period}: {words}")
    removed = remove_dead_run_folders(home)
    done += [f"{len(removed)} folder(s) of dead runs removed from the vault"] * bool(removed)
    books = remove_unfinished_books(home)
    done += [f"{books} unfinished copy(ies) of the book of oppositions removed from the vault"] * bool(books)
    unfinished, stay = remove_unfinished(home.inbox)
    done += [f"{unfinished} unfinished copy(ies) of a killed `hdh deliver` removed from the inbox"] * bool(unfinished)
    return done + [f"a killed `hdh deliver` left {folder}, which cannot be removed: remove it" for folder in stay]


def _finish(home: Home, attempt: Attempt, row: DeliveryRow) -> tuple[Status, str]:
    receipt = Receipt.model_validate(row.receipt_data)
    write_receipt(home, receipt)
    if holds(Path(attempt.folder), attempt.digest):
        remove_folder(Path(attempt.folder), home.inbox)
    return receipt.status, "was loaded when the run died; its receipt is written"


def _release(home: Home, vault: Vault, datasets: Mapping[str, Dataset], attempt: Attempt) -> tuple[Status, str]:
    place = Place(attempt.producer, attempt.dataset, attempt.period)
    if attempt.dataset in datasets:
        forget(home, vault, datasets[attempt.dataset], place, attempt.digest)
    if not holds(Path(attempt.folder), attempt.digest) and _was_refused(home, attempt):
        return "refused", "was refused when the run died; its receipt is written"
    return "failed", "was not loaded when the run died; it is due again"


def _was_refused(home: Home, attempt: Attempt) -> bool:
    folder = receipt_folder(home, attempt.producer, attempt.dataset, attempt.period, attempt.digest)
    receipt = read_receipt(folder / "receipt.json")
    return receipt is not None and receipt.status == "refused"
