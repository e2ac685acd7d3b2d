"""The lake: DuckLake tables read and written through DuckDB.

Here: connecting (embedded or PostgreSQL catalogue, encryption, read-only, at a release), the inter-process writer
lock, and the names of what is attached. Not here: what the tables mean.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from uuid import uuid4

import duckdb
from filelock import FileLock, Timeout

from hdh_assets.core.errors import ConfigurationError, LakeBusyError
from hdh_assets.core.home import Home, Settings
from hdh_assets.core.sql_text import literal
from resources.engine_errors import storage_failure
from resources.extensions import ONLY_OURS, check_signatures, load_extensions, needed_extensions
from resources.lake_claim import CatalogueClaim, claim
from resources.run_folders import remove_dead, run_folder

ALIAS = "lake"
METADATA = f"__ducklake_metadata_{ALIAS}"
"""DuckLake's own catalogue, as an attached lake brings it."""
WRITER_WAIT_SECONDS = 600
COMMIT_RETRIES = 200
"""Commits are numbered: of several at once one succeeds, the others try again. The default, 10, lost one in fifty."""
BUSY_MILLISECONDS = 60_000
"""How long SQLite waits for another process that keeps its file just now."""
ENGINE = ONLY_OURS | {"allow_unsigned_extensions": "true"}
"""Configuration of every engine; the signatures were checked before."""
_ROW_GROUP_BYTES = "64MB"
_OTHER_PLACE = "does not match existing data path"
_NO_CATALOGUE = "creating a new DuckLake is explicitly disabled"
_OTHER_ENCRYPTION = "Failed to set encryption"
_SQLITE = "catalog.sqlite"


def connect_engine(settings: Settings, spill: Path | None = None) -> duckdb.DuckDBPyConnection:
    """An in-memory DuckDB with the extensions loaded and memory bounded.

    `spill` is a run-scoped folder for encrypted spill files; without it spilling is forbidden.
    """
    engine = duckdb.connect(config=ENGINE)
    prepare_engine(engine, settings, spill)
    return engine


def prepare_engine(engine: duckdb.DuckDBPyConnection, settings: Settings, spill: Path | None = None) -> None:
    """Load the extensions into a connection made elsewhere (dbt's) and bound its memory and spill the same way."""
    extensions = needed_extensions(settings, will_spill=spill is not None)
    check_signatures(extensions)
    load_extensions(engine, extensions)
    engine.execute(f"SET memory_limit = '{settings.memory_limit}'")
    # cursors of this connection too: by itself the engine keeps these to the connection they were set on
    engine.execute("SET GLOBAL TimeZone = 'UTC'")
    engine.execute("SET GLOBAL errors_as_json = false")
    if settings.is_lake_far:
        # the one form of address that every S3-compatible storage answers
        engine.execute("SET GLOBAL s3_url_style = 'path'")
    if settings.threads:
        engine.execute(f"SET threads = {int(settings.threads)}")
    if spill is None:
        engine.execute("SET max_temp_directory_size = '0KiB'")
    else:
        engine.execute("SET temp_file_encryption = true")
        engine.execute(f"SET temp_directory = {literal(spill)}")


def has_table(engine: duckdb.DuckDBPyConnection, schema: str, table: str) -> bool:
    """Whether the lake has that table, at the connection's snapshot. The engine's own lists look at every table."""
    try:
        engine.execute(f'SELECT 1 FROM {ALIAS}."{schema}"."{table}" LIMIT 0')
    except duckdb.CatalogException:
        return False
    return True


@dataclass(frozen=True)
class Lake:
    """The lake of one home."""

    home: Home
    settings: Settings
    moved: bool = False
    """Whether somebody said that the home has come here and works nowhere else: it takes its lake over."""

    @property
    def is_embedded(self) -> bool:
        """Whether the catalogue is SQLite: then one writer at a time."""
        return not self.settings.lake_catalog

    @property
    def catalog_file(self) -> Path:
        """The embedded catalogue."""
        return self.home.lake / _SQLITE

    @property
    def catalog_uri(self) -> str:
        """What DuckLake attaches, `ducklake:` prefix included."""
        if self.is_embedded:
            return f"ducklake:sqlite:{self.catalog_file}"
        return f"ducklake:postgres:{self.settings.lake_catalog}"

    @property
    def data_path(self) -> str:
        """Where Parquet files go, with a trailing slash."""
        return f"{self._in_home or self.settings.lake_data.rstrip('/')}/"

    @property
    def _in_home(self) -> str | None:
        """Their folder where it moves with the home: the default, or a relative one."""
        wanted = self.settings.lake_data or str(self.home.lake.relative_to(self.home.root) / "data")
        is_elsewhere = self.settings.is_lake_far or Path(wanted).is_absolute()
        return None if is_elsewhere else str(self.home.root / wanted)

    def attach_options(self, *, read_only: bool = False, snapshot: int | None = None) -> dict[str, str | int | bool]:
        """Options of ATTACH, by name; a flag is True."""
        options: dict[str, str | int | bool] = {"DATA_PATH": self.data_path, "DATA_INLINING_ROW_LIMIT": 0}
        if self.settings.lake_encrypted:
            options["ENCRYPTED"] = True
        if self._in_home:
            # the catalogue remembers an absolute folder; a home that was moved or restored elsewhere has its own
            options["OVERRIDE_DATA_PATH"] = True
        if self.is_embedded:
            options["META_BUSY_TIMEOUT"] = BUSY_MILLISECONDS
        if read_only or snapshot is not None:
            options["READ_ONLY"] = True
        elif self.is_embedded:
            # the file remembers it. Otherwise a query that reads for long keeps every writer from its commit
            options["META_JOURNAL_MODE"] = "WAL"
        if snapshot is not None:
            options["SNAPSHOT_VERSION"] = snapshot
        return options

    def attach(
        self, engine: duckdb.DuckDBPyConnection, *, read_only: bool = False, snapshot: int | None = None
    ) -> None:
        """Attach the lake to `engine` as `lake`; a new one is made where there is neither a catalogue nor a file.

        Raises `HubError` when the disk is full (SQLite needs some to read), `ConfigurationError` when `lake_data` is
        not where the lake has its files, when the catalogue of these files is gone, when there is no lake to read, or
        when catalogue or files are those of another home.
        """
        options = self.attach_options(read_only=read_only, snapshot=snapshot)
        if self.is_embedded and "READ_ONLY" in options and not self.catalog_file.exists():
            raise self._nameless(engine)
        if self.is_embedded:
            self.home.lake.mkdir(parents=True, exist_ok=True)
        engine.execute(f"SET ducklake_max_retry_count = {COMMIT_RETRIES}")
        if not self._attached(engine, options | {"CREATE_IF_NOT_EXISTS": False}):
            # a new catalogue would know nothing of files there are, and the next maintenance remove them
            if "READ_ONLY" in options or self._has_files(engine):
                raise self._nameless(engine)
            self._attached(engine, options)
        self._check_owner(engine, options)

    def _attached(self, engine: duckdb.DuckDBPyConnection, options: dict[str, str | int | bool]) -> bool:
        """Attach; whether there is a catalogue."""
        rendered = ", ".join(
            name if value is True else f"{name} {literal(value)}" if isinstance(value, str) else f"{name} {value}"
            for name, value in options.items()
        )
        try:
            engine.execute(f"ATTACH {literal(self.catalog_uri)} AS {ALIAS} ({rendered})")
        except duckdb.Error as error:
            if _NO_CATALOGUE in str(error):
                return False
            if _OTHER_PLACE in str(error):
                raise _misplaced() from None
            if _OTHER_ENCRYPTION in str(error):
                raise ConfigurationError(
                    "whether the lake's files are encrypted was settled when the lake was made",
                    remedy=f"set lake_encrypted back to {str(not self.settings.lake_encrypted).lower()}",
                ) from None
            raise storage_failure(str(error)) or error from None
        return True

    def _has_files(self, engine: duckdb.DuckDBPyConnection) -> bool:
        """Whether the lake has any file, whatever its catalogue says."""
        if self.settings.is_lake_far:
            return bool(engine.execute("SELECT 1 FROM glob(?) LIMIT 1", [f"{self.data_path}**/*.parquet"]).fetchall())
        return any(Path(self.data_path).rglob("*.parquet"))

    def _nameless(self, engine: duckdb.DuckDBPyConnection) -> ConfigurationError:
        """What to say when there is no catalogue."""
        if not self._has_files(engine):
            return ConfigurationError(f"there is no lake in {self.home.lake}", remedy="run `hdh init`")
        catalogue = "lake/catalog.sqlite, with its -wal and -shm," if self.is_embedded else "that database"
        return ConfigurationError(
            f"the lake's catalogue is gone, and its files are in {self.data_path}",
            remedy=f"restore {catalogue} from a backup; to begin a new lake, move the files away first",
        )

    def _check_owner(self, engine: duckdb.DuckDBPyConnection, options: dict[str, str | int | bool]) -> None:
        """See that catalogue and files are this home's; one that may write leaves its claim where there is none."""
        is_reading, catalogue = "READ_ONLY" in options, None
        if not self.is_embedded:
            catalogue = CatalogueClaim(self.home, METADATA, engine, read_only=is_reading, moved=self.moved)
        if "OVERRIDE_DATA_PATH" in options:
            self._check_place(engine, is_known=self.moved or (catalogue is not None and catalogue.is_made))
        elif not is_reading:
            claim(self.home, self.data_path, engine, moved=self.moved)
        if catalogue is not None and not is_reading:
            catalogue.make()

    def _check_place(self, engine: duckdb.DuckDBPyConnection, *, is_known: bool) -> None:
        """A home that was moved has its files in the same folder of it: any other is another setting's.

        A catalogue in PostgreSQL without a claim (`is_known`) is that of the home whose folder is there.
        """
        folder = f"/{Path(self.data_path).relative_to(self.home.root)}/"
        query = f"SELECT value FROM {METADATA}.ducklake_metadata WHERE key = 'data_path'"
        remembered = str(engine.execute(query).fetchall()[0][0])
        if not remembered.endswith(folder):
            raise _misplaced()
        if self.is_embedded or remembered == self.data_path:
            return
        if not self._has_files(engine) or (not is_known and Path(remembered).exists()):
            raise ConfigurationError(
                f"the lake's catalogue in PostgreSQL is that of the hub in {remembered.removesuffix(folder)}",
                remedy="give this hub another lake_catalog; if it is that hub, moved or restored here whole, with its"
                " lake/, and works there no more, say so: `hdh init --moved`",
            )

    @contextmanager
    def reader(self, *, snapshot: int | None = None, spill: Path | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
        """A read-only connection on the head, or on the lake as of `snapshot`. It never waits for a writer.

        Raises `ConfigurationError` when the lake was never created.
        """
        with self.opened(spill, read_only=True, snapshot=snapshot) as engine:
            yield engine

    @contextmanager
    def writer(self, *, spill: Path | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection that may write, under the writer lock when the catalogue is embedded."""
        with self.writer_lock(), self.opened(spill) as engine:
            yield engine

    @contextmanager
    def opened(
        self, spill: Path | None = None, *, read_only: bool = False, snapshot: int | None = None
    ) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection for one who holds the writer lock already, or only reads."""
        engine = connect_engine(self.settings, spill)
        try:
            self.attach(engine, read_only=read_only, snapshot=snapshot)
            with _stopped_by_signals(engine):
                yield engine
        finally:
            # a commit that failed keeps the catalogue locked, in this process and beyond, until the lake is detached
            for statement in ("ROLLBACK", "USE memory", f"DETACH {ALIAS}"):
                with suppress(duckdb.Error):
                    engine.execute(statement)
            engine.close()

    @contextmanager
    def writer_lock(self, wait_seconds: float = WRITER_WAIT_SECONDS) -> Iterator[None]:
        """Hold the inter-process writer lock; with a PostgreSQL catalogue there is none and this does nothing.

        Raises `LakeBusyError` when another process keeps it for longer than `wait_seconds`.
        """
        if not self.is_embedded:
            yield
            return
        self.home.lake.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.home.lake / "writer.lock", timeout=wait_seconds)
        try:
            lock.acquire()
        except Timeout:
            raise LakeBusyError(
                f"another process has been writing to the lake for over {wait_seconds:.0f} s",
                remedy="wait for the run in progress (see `hdh up` or the Dagster UI), then try again",
            ) from None
        try:
            yield
        finally:
            lock.release()


def _misplaced() -> ConfigurationError:
    return ConfigurationError(
        "the lake's files are not where lake_data says",
        remedy="set lake_data to what it was when the hub was made, or unset it; a home moves whole, with its lake",
    )


@contextmanager
def _stopped_by_signals(engine: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Stop the engine's query before a signal's handler raises: by itself the engine ends it first, hours or not."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    former = {sent: signal.getsignal(sent) for sent in (signal.SIGINT, signal.SIGTERM)}

    def stop(sent: int, frame: FrameType | None) -> None:
        engine.interrupt()
        handler = former[signal.Signals(sent)]
        if callable(handler):
            handler(sent, frame)

    handled = [sent for sent, handler in former.items() if callable(handler)]
    for sent in handled:
        signal.signal(sent, stop)
    try:
        yield
    finally:
        for sent in handled:
            signal.signal(sent, former[sent])


@contextmanager
def spill_folder(home: Home, purpose: str) -> Iterator[Path]:
    """A folder for one run's spill files, outside the vault: what is spilled there is pseudonymised, and encrypted."""
    with run_folder(home.tmp / f"{purpose}-{uuid4().hex}") as folder:
        yield folder


def remove_dead_spill(home: Home) -> None:
    """Remove spill folders that no process fills any more, in this container or another."""
    remove_dead(home.tmp.glob("*-*"))


@contextmanager
def transaction(engine: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """All or nothing over every table written inside."""
    engine.execute("BEGIN")
    try:
        yield
    except BaseException:
        engine.execute("ROLLBACK")
        raise
    engine.execute("COMMIT")


def bound_by_bytes(engine: duckdb.DuckDBPyConnection) -> None:
    """Let no row length take memory without end: this engine's writes hold so many bytes, not so many rows.

    By itself the engine gathers 2,048 rows between two steps, and a row group of tens of thousands: with documents of a
    megabyte that is gigabytes. The order of rows is given up, without which no bytes are counted. To be called outside
    a transaction.
    """
    engine.execute("SET preserve_insertion_order = false")
    engine.execute("SET enable_caching_operators = false")
    # what is rolled back holds for this engine alone: the lake would remember it, and refuse writers that keep order
    engine.execute("BEGIN")
    engine.execute(f"CALL {ALIAS}.set_option('parquet_row_group_size_bytes', '{_ROW_GROUP_BYTES}')")
    engine.execute("ROLLBACK")


def write_anew(engine: duckdb.DuckDBPyConnection, function: str) -> None:
    """Call a function of DuckLake's that writes files anew, by all means: if memory does not suffice, in little of it.

    Which takes one thread, twice the time, and the order of rows; the engine stays so. To be called outside a
    transaction.
    """
    try:
        engine.execute(f"CALL {function}")
    except duckdb.OutOfMemoryException:
        bound_by_bytes(engine)
        engine.execute("SET threads = 1")
        engine.execute(f"CALL {function}")


def open_lake(home: Home, settings: Settings | None = None, *, moved: bool = False) -> Lake:
    """The lake of this home, with its settings; `moved` as in `Lake`."""
    return Lake(home, settings or Settings.load(home), moved)
