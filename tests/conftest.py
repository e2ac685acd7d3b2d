"""Fixtures every test folder shares: a fresh home, its settings, a real PostgreSQL server, an object storage."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from filelock import FileLock

from hdh_assets.core.home import Home, Settings
from resources.lake import Lake, open_lake
from tests.settings import ask_here, forget_settings, no_deadline, one_thread

one_thread()
no_deadline()
LOCKED = "locked"
"""The role of which the PostgreSQL server asks a password; it is to be made."""
REFERENCE = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture
def home(initialised: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """An initialised, empty hub."""
    forget_settings(monkeypatch)
    monkeypatch.setenv("HDH_HOME", str(tmp_path / "hub"))
    return Home.resolve(shutil.copytree(initialised, tmp_path / "hub"))


@pytest.fixture(scope="session")
def initialised(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root of an empty hub: to be copied, never changed."""
    from hdh_assets.cli.console import Context
    from hdh_assets.cli.init import initialise

    root = tmp_path_factory.mktemp("initialised") / "hub"
    with pytest.MonkeyPatch.context() as patch:
        forget_settings(patch)
        initialise(Context(Home(root)))
    return root


@pytest.fixture(scope="session")
def standardised(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root of an empty hub whose 39 tables were built: to be copied, never changed. Built once for all workers."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    root = shared / "standardised"
    with FileLock(shared / "standardised.lock"):
        if not root.exists():
            _build_standardised(root.with_suffix(".part")).rename(root)
    return root


def _build_standardised(root: Path) -> Path:
    from hdh_assets.cli.console import Context
    from hdh_assets.cli.init import initialise
    from hdh_assets.standard.runner import standardise

    with pytest.MonkeyPatch.context() as patch:
        forget_settings(patch)
        home = Home(root)
        initialise(Context(home))
        assert not standardise(home, Settings()).failed_tests
    return root


@pytest.fixture
def settings(home: Home) -> Settings:
    """Settings of that hub."""
    return Settings.load(home)


@pytest.fixture(scope="session")
def reference() -> Path:
    """The optional reference data beside the project; the test is skipped where it is absent."""
    if not REFERENCE.is_dir():
        pytest.skip("no reference data beside the project")
    return REFERENCE


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """Address of a real PostgreSQL server started for this session, without a database name.

    Its files are not under pytest's folder, which the next session of root closes to the server's account.
    """
    programs = _postgres_programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed on this machine")
    owner = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    with tempfile.TemporaryDirectory(prefix="hdh-postgres-") as folder:
        data = Path(folder)
        if os.geteuid() == 0:
            shutil.chown(data, owner)
        initdb = [programs / "initdb", "-D", data / "data", "-U", "hdh", "--auth=trust", "--encoding=UTF8", "--no-sync"]
        _run(owner, *initdb)
        port = _free_port()
        _ask_for_a_password(data / "data" / "pg_hba.conf", LOCKED)
        server = subprocess.Popen(
            [programs / "postgres", "-D", data / "data", "-p", str(port), "-k", str(data), "-c", "fsync=off"],
            user=owner if os.geteuid() == 0 else None,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            address = f"postgresql://hdh@127.0.0.1:{port}"
            _await(address)
            yield address
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(30)


def _ask_for_a_password(rules: Path, role: str) -> None:
    """The first rule that fits is the one that holds."""
    rules.write_text(f"host all {role} all scram-sha-256\n{rules.read_text('utf-8')}", "utf-8")


@pytest.fixture
def postgres_url(postgres_server: str, request: pytest.FixtureRequest) -> str:
    """Address of an empty database of its own on that server."""
    name = "t" + "".join(c for c in request.node.name.lower() if c.isalnum())[:40]
    with psycopg.connect(f"{postgres_server}/postgres", autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {name}")
    return f"{postgres_server}/{name}"


@pytest.fixture
def postgres_lake(tmp_path: Path, postgres_url: str) -> Lake:
    """A lake whose catalogue is in that database."""
    return open_lake(Home(tmp_path / "hub"), Settings(lake_catalog=postgres_url))


@pytest.fixture(scope="session")
def object_storage() -> Iterator[str]:
    """Address of an empty bucket in an S3-compatible storage started for this session: moto's, in its own process."""
    port = _free_port()
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-p", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        bucket = f"http://127.0.0.1:{port}/lake"
        _make_bucket(bucket)
        yield bucket
    finally:
        server.terminate()
        server.wait(30)


def _make_bucket(address: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            ask_here(urllib.request.Request(address, method="PUT"), timeout=5).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def _postgres_programs() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    if found:
        return found[-1].parent
    on_path = shutil.which("postgres")
    return Path(on_path).resolve().parent if on_path else None


def _run(owner: str, *command: object) -> None:
    subprocess.run(
        [str(part) for part in command], check=True, capture_output=True, user=owner if os.geteuid() == 0 else None
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await(address: str, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            psycopg.connect(f"{address}/postgres", connect_timeout=2).close()
            return
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
