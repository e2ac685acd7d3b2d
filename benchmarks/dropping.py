"""Dropping a sealed folder into a hub's inbox, for the benchmarks."""

from __future__ import annotations

import shutil
from pathlib import Path

from hdh_assets.core.descriptor_files import load_datasets
from hdh_assets.core.home import Home
from resources.inbox import Dropped, scan
from resources.keys import Purpose, open_keys


def drop(source: Path, home: Home, dataset: str, period: str) -> Dropped:
    """Copy the folder into the inbox of a home that is given its keys; the files are then in the page cache.

    A copy, because a delivered file may have no second name, and because intake empties the inbox.
    """
    datasets = load_datasets()
    open_keys(home).create_missing(tuple(Purpose))
    inbox = home.inbox / datasets[dataset].producer.id / dataset / period
    inbox.parent.mkdir(parents=True)
    shutil.copytree(source, inbox)
    (dropped,) = scan(home, datasets)
    return dropped
