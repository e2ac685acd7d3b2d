"""`hdh deliver`: files copied into the inbox and sealed there, as a producer's own machine would do it.

Judges names only, early and kindly; the gates judge the rest when the delivery is taken in.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from hdh_assets.core.crash import crash_point
from hdh_assets.core.descriptor import Dataset
from hdh_assets.core.errors import HubError
from hdh_assets.core.files import write_atomically
from hdh_assets.core.home import Home
from hdh_assets.core.periods import EXAMPLES, check_period
from hdh_assets.sources.intake.admission import is_deliverable
from hdh_assets.sources.intake.manifest import digest_of, table_of
from hdh_assets.sources.intake.receipt import read_receipt
from hdh_assets.sources.intake.seal import instant_text, manifest_of
from resources.inbox import MANIFEST, make_place, sealed_at, unfinished_place
from resources.run_folders import run_folder


def deliver(home: Home, dataset: Dataset, period: str, files: Sequence[Path]) -> Path:
    """Seal files and drop them in the inbox; the delivery's folder.

    The folder appears by one rename, manifest included, and only the hub's account reads it. Files under a manifest
    that seals just these, or those that last came in for the period, keep their seal: they are then known to be the
    same delivery. Raises `HubError` when a name is no table of the dataset, a period is malformed, or a sealed
    delivery of the period still waits.
    """
    paths = [Path(file) for file in files if Path(file).name != MANIFEST]
    _check(dataset, period, paths)
    given = next((path.read_bytes() for file in files if (path := Path(file)).name == MANIFEST), None)
    target = _place(home, dataset, period)
    if is_waiting(home, dataset, period):
        raise HubError(
            f"a delivery of {dataset.id} {period} is already in the inbox",
            remedy=f"run `hdh tick` to take it in first, or empty {target}",
        )
    make_place(home.inbox, dataset.producer.id)
    with run_folder(unfinished_place(home.inbox)) as folder:
        for path in paths:
            shutil.copyfile(path, folder / path.name)
            crash_point("deliver.copied")
        answers = home.outbox / dataset.producer.id / dataset.id / period
        _seal(folder, dataset, period, _known_seals(given, answers))
        for file in folder.iterdir():
            file.chmod(0o600)
        _put(home, dataset, folder, target)
    return target


def _put(home: Home, dataset: Dataset, folder: Path, target: Path) -> None:
    """Rename; a hub that has just taken in another period removes the folder it leaves empty."""
    for is_last in (False, False, True):
        try:
            make_place(home.inbox, dataset.producer.id, dataset.id)
            folder.rename(target)
        except FileNotFoundError:
            if is_last:
                raise
        else:
            return


def is_waiting(home: Home, dataset: Dataset, period: str) -> bool:
    """Whether a delivery of the period is in the inbox, not yet taken in."""
    target = _place(home, dataset, period)
    return target.exists() and any(target.iterdir())


def _place(home: Home, dataset: Dataset, period: str) -> Path:
    return home.inbox / dataset.producer.id / dataset.id / period


def _seal(folder: Path, dataset: Dataset, period: str, known: Iterable[tuple[datetime, str]]) -> None:
    """Under a known seal (its instant and the digest of its manifest) if one was put on just these files, else anew."""
    manifest = manifest_of(folder, dataset, period)
    for instant, digest in known:
        again = manifest.model_copy(update={"sealed_at": instant_text(instant)})
        if digest_of(again.to_bytes()) == digest:
            manifest = again
            break
    write_atomically(folder / MANIFEST, manifest.to_bytes())


def _known_seals(given: bytes | None, answers: Path) -> Iterator[tuple[datetime, str]]:
    """That of the delivery that last came in for the period, and of the manifest among the files if it is not older.

    Files under an older seal, another content having come in since, are a correction and get a seal of their own.
    """
    receipts = map(read_receipt, answers.glob("*/receipt.json"))
    came_in = [
        (receipt.sealed_at, receipt.digest)
        for receipt in receipts
        if receipt is not None and receipt.status != "refused" and receipt.sealed_at
    ]
    last = sorted(came_in)[-1:]
    yield from last
    if given is None or (instant := sealed_at(given)) is None:
        return
    own = (instant, digest_of(given))
    if all(own >= known for known in last):
        yield own


def foreseen(dataset: Dataset, period: str, files: list[Path]) -> list[str]:
    """What the hub will refuse the delivery for, as far as its period and the names of its files tell."""
    delivered = {table.name for path in files if (table := table_of(dataset, path.name))}
    missing = [table.name for table in dataset.tables if not table.optional and table.name not in delivered]
    found = [f"no file of {', '.join(missing)}"] if missing else []
    if not is_deliverable(dataset, period, datetime.now(UTC)):
        found.append(f"periods go from {dataset.first_period} to the one in progress")
    return found


def _check(dataset: Dataset, period: str, paths: list[Path]) -> None:
    try:
        check_period(period, dataset.cadence)
    except ValueError as error:
        raise HubError(str(error), remedy=f"write it like {EXAMPLES[dataset.cadence]}") from None
    if strangers := [path.name for path in paths if table_of(dataset, path.name) is None]:
        raise HubError(
            f"no table of {dataset.id} is delivered as {', '.join(strangers)}",
            remedy=f"name {dataset.format.kind} files after {', '.join(table.name for table in dataset.tables)}",
        )
    if missing := [path.name for path in paths if not path.is_file()]:
        raise HubError(f"not a plain file: {', '.join(missing)}", remedy="check the path")
    names = [path.name.lower() for path in paths]
    if len(set(names)) != len(names) or not names:
        raise HubError("no file, or two files of the same name", remedy="name each file once")
