"""What quarantine holds of each delivery, rejected rows in clear for the producer they came from, and emptying it.

Refused deliveries lie there whole, rejected rows of accepted ones encrypted. Only the trusted third party, who has the
vault's key, reads them; what it exports leaves the hub.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from hdh_assets.core.dialect import Format
from hdh_assets.core.errors import ConfigurationError, HubError
from hdh_assets.core.home import Home, Settings
from hdh_assets.core.sql_text import literal
from hdh_assets.sources.intake.admission import Place
from hdh_assets.sources.intake.archive import REFUSED
from hdh_assets.sources.intake.diagnose import REJECTED
from resources.lake import connect_engine
from resources.registry import Registry, current_actor
from resources.vault import Vault, new_run_folder_name

EXPORTED = "quarantine.exported"
EMPTIED = "quarantine.emptied"
_LIST = "`hdh quarantine list` shows what is there"


@dataclass(frozen=True)
class Held:
    """What quarantine holds of one delivery: refused files as they were dropped, rejected rows by file and rule."""

    place: Place
    delivery: str
    """The first digits of the manifest's digest, as in the paths of receipts."""
    folder: Path

    @property
    def refused(self) -> tuple[Path, ...]:
        """Files of a delivery that was refused, its receipt not included."""
        return _files(self.folder / REFUSED)

    @property
    def rejected(self) -> tuple[Path, ...]:
        """Encrypted files of rejected rows."""
        return _files(self.folder / REJECTED)

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return sum(path.lstat().st_size for path in _files(self.folder))

    @property
    def since(self) -> datetime:
        """When something was last put there."""
        return datetime.fromtimestamp(self.folder.stat().st_mtime, UTC)


def held(home: Home) -> list[Held]:
    """Everything in quarantine, oldest first."""
    folders = [path for path in home.quarantine.glob("*/*/*/*") if path.is_dir() and not path.is_symlink()]
    found = [Held(Place(*path.relative_to(home.quarantine).parts[:3]), path.name, path) for path in folders]
    return sorted(found, key=lambda each: (each.since, each.delivery))


def find_held(home: Home, delivery: str) -> Held:
    """The delivery whose digest begins so. Raises `HubError` when none does, or several, or it is empty."""
    found = [each for each in held(home) if delivery and each.delivery.startswith(delivery.lower())]
    if len(found) != 1:
        raise HubError(f"{len(found) or 'no'} deliveries in quarantine begin with {delivery!r}", remedy=_LIST)
    return found[0]


def export(
    registry: Registry, vault: Vault, settings: Settings, one: Held, target: Path, dialect: Format | None = None
) -> list[Path]:
    """Write the rejected rows of a delivery as CSV files into a new folder that only this account reads.

    Written down before the first row leaves, so that no export stays unknown, even one that then fails.

    The text of each field is as it was delivered, under the name of its column, after `_line`, the line of the file
    where the row begins, and `_rules`, what it broke and in which column. Delimiter and quote are those of `dialect`,
    the dataset's; where it has none, a comma, and quotes where they are needed. Always in UTF-8.

    Refused deliveries need no export: their files lie in quarantine as they were dropped. Raises `HubError` when there
    is nothing to export, `ConfigurationError` for a folder within the hub or in use.
    """
    if not one.rejected:
        raise HubError(
            f"quarantine holds no rejected rows of {one.delivery}",
            remedy=f"its files lie in {one.folder / REFUSED}" if one.refused else _LIST,
        )
    place = _new_folder(vault.home, target)
    _record(registry, EXPORTED, one)
    return list(_exported(vault, settings, one, place, dialect or Format()))


def empty(registry: Registry, home: Home, these: list[Held]) -> None:
    """Remove what quarantine holds of these deliveries, for good, and the folders that it leaves empty."""
    for one in these:
        _record(registry, EMPTIED, one)
        shutil.rmtree(one.folder)
        for parent in list(one.folder.parents)[: len(one.folder.relative_to(home.quarantine).parts) - 1]:
            if any(parent.iterdir()):
                break
            parent.rmdir()


def _record(registry: Registry, kind: str, one: Held) -> None:
    data = {
        "period": one.place.period,
        "delivery": one.delivery,
        "refused": len(one.refused),
        "rejected": len(one.rejected),
    }
    registry.append(kind, one.place.dataset, current_actor(), data)


def _exported(vault: Vault, settings: Settings, one: Held, target: Path, dialect: Format) -> Iterator[Path]:
    quote = literal(dialect.quote or '"')
    form = f"FORMAT csv, HEADER, DELIMITER {literal(dialect.delimiter)}, QUOTE {quote}, ESCAPE {quote}"
    for source in one.rejected:
        written = target / f"{source.stem.removesuffix('.csv')}.csv"
        with vault.run_folder(new_run_folder_name()) as folder:
            clear = folder / "rows.parquet"
            with clear.open("wb") as file:
                file.writelines(vault.chunks(source))
            with closing(connect_engine(settings, spill=folder)) as engine:
                rows = f"SELECT * FROM read_parquet({literal(clear)}) ORDER BY _line"
                engine.execute(f"COPY ({rows}) TO {literal(written)} ({form})")
        written.chmod(0o600)
        yield written


def _new_folder(home: Home, target: Path) -> Path:
    place = target.expanduser().resolve()
    if place.is_relative_to(home.root):
        raise ConfigurationError(
            f"{target} is within the hub, where nothing may lie in clear", remedy="name a folder outside of it"
        )
    if place.exists() and (not place.is_dir() or any(place.iterdir())):
        raise ConfigurationError(f"{target} is there already", remedy="name a folder that does not exist yet")
    place.mkdir(parents=True, exist_ok=True)
    place.chmod(0o700)
    return place


def _files(folder: Path) -> tuple[Path, ...]:
    """Every file below, links and devices included, whatever a producer dropped; none is opened."""
    return tuple(sorted(path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir()))
