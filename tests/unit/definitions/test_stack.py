"""What a running stack says of its processes."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from dagster import DagsterInstance
from rich.console import Console

from hdh_assets.cli.up import _say
from hdh_assets.core.home import Home, Settings
from hdh_assets.definitions.daemon_watch import DaemonWatch
from hdh_assets.definitions.instance import prepare_instance
from hdh_assets.definitions.stack import Stack, StackError

BOTH = ("SENSOR", "QUEUED_RUN_COORDINATOR")


@pytest.mark.parametrize(
    ("end", "told"),
    [
        ("kill -9 $$", "was killed by signal 9, as for want of memory"),
        ("kill -10 $$", "signal 10"),
        ("exit 3", "stopped"),
    ],
)
def test_how_a_process_ended_is_told(tmp_path: Path, end: str, told: str) -> None:
    child = subprocess.Popen(["sh", "-c", end])
    child.wait()
    running = Stack(Home(tmp_path), Settings(), "http://127.0.0.1:9", None, {"daemon": child})
    with pytest.raises(StackError, match=f"the daemon .*{told}"):
        running.wait(print)


def test_a_daemon_that_stands_still_is_told_once_and_so_is_its_return(tmp_path: Path) -> None:
    watch, log = DaemonWatch(tmp_path / "daemon.log"), []
    for second in range(0, 600, 10):
        heard = second if second < 100 or second > 400 else 100
        log.append((second, watch.look({"SENSOR": heard, "QUEUED_RUN_COORDINATOR": second}, second)))
    (silent, first), (back, again) = [(second, said) for second, said in log if said]
    assert first is not None
    assert first.startswith("the daemon, which looks for work, has not been heard of for 3 minutes: stop the hub")
    assert (silent, back, again) == (290, 410, "the daemon is heard of again")


def test_a_daemon_is_not_blamed_where_nobody_could_say_or_the_machine_stood_still(tmp_path: Path) -> None:
    watch = DaemonWatch(tmp_path / "daemon.log")
    assert watch.look(dict.fromkeys(BOTH, 1.0), 0) is None
    assert watch.look(dict.fromkeys(BOTH, 1.0), 5000) is None
    assert [watch.look({}, 5000 + second) for second in range(0, 600, 10)] == [None] * 60
    assert watch.look(dict.fromkeys(BOTH, 2.0), 5610) is None


def test_a_run_of_the_queue_waits_for_a_code_location_that_is_loaded_again(tmp_path: Path) -> None:
    home = Home(tmp_path)
    prepare_instance(home, Settings())
    with DagsterInstance.from_config(str(home.dagster)) as instance:
        queue = instance.get_concurrency_config().run_queue_config
    assert queue is not None
    assert queue.max_user_code_failure_retries * queue.user_code_failure_retry_delay == 300
    assert queue.max_concurrent_runs > 1


@pytest.mark.parametrize("error", [OSError(5, "Input/output error"), BrokenPipeError()])
def test_what_cannot_be_said_ends_nothing(error: OSError, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Gone:
        encoding = "utf-8"

        def write(self, _: str) -> None:
            raise error

        def flush(self) -> None:
            raise error

    console = Console(file=Gone())  # type: ignore[arg-type]
    monkeypatch.setattr(console, "on_broken_pipe", lambda: (_ for _ in ()).throw(SystemExit(1)))
    _say(console, "the code location hub is loaded again")
