"""`hdh deliver`: files copied into the inbox and sealed there, as a producer's own machine would do it.

Judges names only, early and kindly; the gates judge the rest when the delivery is taken in.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path
from uuid import uuid4

from hdh_assets.core.descriptor import Dataset, check_period
from hdh_assets.core.errors import HubError
from hdh_assets.core.home import Home
from hdh_assets.sources.intake.manifest import table_of
from hdh_assets.sources.intake.seal import seal
from resources.inbox import MANIFEST


def deliver(home: Home, dataset: Dataset, period: str, files: Iterable[Path]) -> Path:
    """Seal files and drop them in the inbox; the delivery's folder.

    The folder appears by one rename, manifest included. Raises `HubError` when a name is no table of the dataset, a
    period is malformed, or a sealed delivery of the period still waits.
    """
    paths = [Path(file) for file in files if Path(file).name != MANIFEST]
    _check(dataset, period, paths)
    target = home.inbox / dataset.producer.id / dataset.id / period
    if target.exists() and any(target.iterdir()):
        raise HubError(
            f"a delivery of {dataset.id} {period} is already in the inbox",
            remedy=f"run `hdh tick` to take it in first, or empty {target}",
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    folder = home.inbox / f".{uuid4().hex}"
    folder.mkdir()
    try:
        for path in paths:
            shutil.copyfile(path, folder / path.name)
        seal(folder, dataset, period)
        folder.rename(target)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return target


def _check(dataset: Dataset, period: str, paths: list[Path]) -> None:
    try:
        check_period(period, dataset.cadence)
    except ValueError as error:
        raise HubError(str(error), remedy=f"write it as {dataset.first_period}") from None
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
