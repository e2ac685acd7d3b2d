"""The processes of `hdh up`: a code server per code location, the webserver and the daemon. No Dagster here.

Each child leads a process group of its own and dies with this process, however it ends. The code servers are shared by
webserver and daemon, so that a reload asked of the webserver reaches both.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import yaml

from hdh_assets.core.errors import HubError
from hdh_assets.core.home import Home, Settings
from hdh_assets.core.processes import die_with_parent
from hdh_assets.definitions.daemon_watch import DaemonWatch
from hdh_assets.definitions.instance import prepare_instance
from hdh_assets.definitions.locations import Location, locations
from hdh_assets.definitions.one_hub import STACK, end_leftovers
from resources.databases import StorageWatch
from resources.webserver import ADDRESS, heartbeats, location_states, reload_location, turned_off

HOST = "127.0.0.1"
_WEB, _READERS_WEB, _DAEMON = "webserver", "read-only webserver", "daemon"
_START_SECONDS = 180.0
_STOP_SECONDS = 20.0
_LOOK_SECONDS = 10.0
_LOADING_SECONDS = 60.0
_LOG_BYTES = 10_000_000


class StackError(HubError):
    """A process of the hub did not start or stopped."""


class Stack:
    """What runs. `url` is the address of the UI, `readers_url` that of the one in which people only look."""

    def __init__(
        self,
        home: Home,
        settings: Settings,
        url: str,
        readers_url: str | None,
        children: Mapping[str, subprocess.Popen[bytes]],
    ) -> None:
        self.home, self.url, self.readers_url, self._children = home, url, readers_url, children
        self._storage = StorageWatch(settings)
        self._daemon = DaemonWatch(_log(home, _DAEMON))

    def wait(self, tell: Callable[[str], None]) -> None:
        """Until a process ends. Raises `StackError` then.

        A code location nobody answers for any more is loaded again, and `tell` told: its process ends where the machine
        stands still for half a minute (no memory, a virtual machine paused), and Dagster starts no other. `tell` hears
        of a database that went away, too, and of its return: Dagster's processes say so in their logs alone, at length.
        So it does of a daemon that stands still.
        """
        look_at = time.monotonic() + _LOOK_SECONDS
        while True:
            for name, child in self._children.items():
                if child.poll() is not None:
                    raise _ended(self.home, name, child.returncode)
            if time.monotonic() > look_at:
                for name in self._children:
                    bound(_log(self.home, name))
                seen = (self._storage.look(), self._daemon.look(heartbeats(self.url, patience=5), time.monotonic()))
                for changed in filter(None, seen):
                    tell(changed)
                look_at = time.monotonic() + (_LOADING_SECONDS if self._revive(tell) else _LOOK_SECONDS)
            time.sleep(0.5)

    def turned_off(self) -> list[str]:
        """Sensors and schedules that somebody turned off in the UI: they stay so, and what they do is not done."""
        return turned_off(self.url, patience=30)

    def _revive(self, tell: Callable[[str], None]) -> bool:
        """Whether a code location had to be loaded again."""
        gone = [state.name for state in location_states(self.url, patience=5) if state.is_unreachable]
        for name in gone:
            tell(f"nobody answered for the code location {name} any more: it is loaded again")
            reload_location(self.home, name)
        return bool(gone)


def repair(home: Home, settings: Settings) -> list[str]:
    """What the last crash left, put right; in words. Raises `StackError` with the reason when it cannot be."""
    environment = os.environ | prepare_instance(home, settings)
    done = subprocess.run(
        [sys.executable, "-m", "hdh_assets.definitions.prepare"],
        env=environment,
        cwd=home.dagster,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise StackError("the hub could not be made ready", remedy=done.stderr.strip()[-2000:] or None)
    return done.stdout.splitlines()


@contextmanager
def running(home: Home, settings: Settings, port: int, readers_port: int | None = None) -> Iterator[Stack]:
    """Start everything, give the stack once the UI answers, stop everything on leaving, whatever happened.

    `readers_port` asks for a second UI in which nothing can be started or changed. The caller holds the home's lock
    (`the_only_hub`). Port 0 takes a free one. Raises `StackError` when a port is taken or a process does not start.
    """
    ports = {_WEB: _usable(port)}
    if readers_port is not None:
        ports[_READERS_WEB] = _usable(readers_port, taken=ports[_WEB])
    environment = os.environ | prepare_instance(home, settings) | {STACK: str(home.root)}
    children: dict[str, subprocess.Popen[bytes]] = {}
    (home.dagster / ADDRESS).unlink(missing_ok=True)
    try:
        served = {location.name: _free_port() for location in locations()}
        for location in locations():
            name = f"code server of {location.name}"
            children[name] = _start(home, name, environment, *_code_server(location, served[location.name]))
        workspace = _write_workspace(home, served)
        for name, served_port in served.items():
            _await(home, children, lambda p=served_port: _listens(p), f"code server of {name}")
        for name, web_port in ports.items():
            children[name] = _start(home, name, environment, *_webserver(name, web_port, workspace))
        children[_DAEMON] = _start(home, _DAEMON, environment, *_daemon(workspace))
        urls = {name: f"http://{HOST}:{web_port}" for name, web_port in ports.items()}
        for name, url in urls.items():
            _await(home, children, lambda url=url: _is_loaded(url), name)
        stack = Stack(home, settings, urls[_WEB], urls.get(_READERS_WEB), children)
        told = {"url": stack.url, "readers_url": stack.readers_url, "pid": os.getpid()}
        (home.dagster / ADDRESS).write_text(json.dumps(told), "utf-8")
        yield stack
    finally:
        (home.dagster / ADDRESS).unlink(missing_ok=True)
        _stop(children)
        end_leftovers(home)


def _code_server(location: Location, port: int) -> list[str]:
    module = ["-m", location.module, "--location-name", location.name]
    return ["-m", "dagster", "code-server", "start", "-h", HOST, "-p", str(port), *module]


def _webserver(name: str, port: int, workspace: Path) -> list[str]:
    command = ["-m", "dagster_webserver", "-h", HOST, "-p", str(port), "-w", str(workspace)]
    return [*command, "--read-only"] if name == _READERS_WEB else command


def _daemon(workspace: Path) -> list[str]:
    # each look of a sensor would be two lines of its log, gigabytes a year; the UI has them, for as long as is of use
    return ["-m", "dagster._daemon", "run", "-w", str(workspace), "--log-level", "warning"]


def _write_workspace(home: Home, served: Mapping[str, int]) -> Path:
    """The workspace webserver and daemon load: the same code locations, served."""
    entries: list[dict[str, Any]] = [
        {"grpc_server": {"host": HOST, "port": port, "location_name": name}} for name, port in served.items()
    ]
    path = home.dagster / "workspace.yaml"
    path.write_text(yaml.safe_dump({"load_from": entries}, sort_keys=False), "utf-8")
    return path


def _start(home: Home, name: str, environment: Mapping[str, str], *arguments: str) -> subprocess.Popen[bytes]:
    _log(home, name).unlink(missing_ok=True)
    with _log(home, name).open("ab") as log:  # to append, so that it may be cut while it is written
        return subprocess.Popen(
            [sys.executable, *arguments],
            env=environment,
            cwd=home.dagster,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=die_with_parent,  # noqa: PLW1509 - this process has one thread
        )


def _log(home: Home, name: str) -> Path:
    return home.dagster / f"{name.replace(' ', '-')}.log"


def bound(log: Path, size: int = _LOG_BYTES) -> None:
    """Begin a log anew that has that many bytes; what it said is kept beside it, in place of what was there before."""
    if log.exists() and log.stat().st_size > size:
        with suppress(OSError):  # on a full disk it is cut all the more
            shutil.copyfile(log, log.with_suffix(".log.1"))
        os.truncate(log, 0)


def _stop(children: Mapping[str, subprocess.Popen[bytes]]) -> None:
    """Ask every group to end, daemon and webserver first, then insist."""
    for child in reversed(list(children.values())):
        _signal_group(child, signal.SIGTERM)
    deadline = time.monotonic() + _STOP_SECONDS
    for child in children.values():
        with suppress(subprocess.TimeoutExpired):
            child.wait(max(deadline - time.monotonic(), 0.1))
    for child in children.values():
        _signal_group(child, signal.SIGKILL)
        child.wait()


def _signal_group(child: subprocess.Popen[bytes], sent: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(child.pid, sent)


def _await(home: Home, children: Mapping[str, subprocess.Popen[bytes]], is_ready: Any, name: str) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not is_ready():
        dead = [each for each, child in children.items() if child.poll() is not None]
        if dead and children[dead[0]].returncode < 0:
            raise _ended(home, dead[0], children[dead[0]].returncode)
        if dead or time.monotonic() > deadline:
            who = dead[0] if dead else name
            raise StackError(f"the {who} did not start", remedy=f"read {_log(home, who)}; `hdh check` may say why")
        time.sleep(0.1)


def _ended(home: Home, name: str, code: int) -> StackError:
    """What to say of a process that ended with that code; one that was killed could write nothing in its log."""
    if code == -signal.SIGKILL:
        return StackError(
            f"the {name} was killed by signal 9, as for want of memory",
            remedy="see who killed it (`journalctl -k` tells it of want of memory), then run `hdh up`",
        )
    how = f"was ended by signal {-code}" if code < 0 else "stopped"
    return StackError(f"the {name} {how}", remedy=f"read {_log(home, name)}, then run `hdh up`")


def _usable(port: int, taken: int | None = None) -> int:
    """The port, or a free one for 0. Raises `StackError` when somebody else listens on it, or will (`taken`)."""
    if port and (port == taken or _listens(port)):
        raise StackError(f"port {port} is taken", remedy="choose another, or 0 for any free one")
    return port or _free_port()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0


def _is_loaded(url: str) -> bool:
    """Whether the UI answers and every code location is loaded. Raises `StackError` when one cannot be."""
    states = location_states(url, patience=60)
    for state in states:
        if state.problem:
            reason = state.problem.splitlines()[0]
            raise StackError(f"the code location {state.name} cannot be loaded: {reason}", remedy="run `hdh check`")
    return bool(states) and all(state.is_loaded for state in states)
