"""Ctrl-C on `hdh tick`: it stops at once, leaves no process, and the next one goes on."""

from __future__ import annotations

import json
import signal
import subprocess
import sys

import pytest
from hubs import DATASET, drop, hdh, processes_of, wait_for

from hdh_assets.core.home import Home, Settings
from resources.ledger import Ledger

PERIODS = ["2024-01", "2024-02", "2024-03"]


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_stopped_during_intake_it_leaves_nothing_behind_and_the_next_goes_on(fifth: Home, sent: signal.Signals) -> None:
    """Sent to that process alone, which a shell started in the background with SIGINT ignored."""
    for period in PERIODS:
        drop(fifth, period)
    command = ["sh", "-c", 'trap "" INT; exec "$0" -m hdh_assets.cli tick', sys.executable]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as stopped:
        wait_for(lambda: Ledger(fifth, Settings.load(fifth)).attempts())
        stopped.send_signal(sent)
        said = stopped.communicate(timeout=60)[1]
    assert stopped.returncode == 130
    assert "Traceback" not in said
    assert not processes_of(fifth)

    assert all(run["success"] for run in json.loads(hdh("tick", "--json"))["runs"])
    rows = hdh("sql", "--json", f"SELECT _period p, count(*) n FROM {DATASET}.readings GROUP BY 1 ORDER BY 1")
    assert json.loads(rows) == [{"p": period, "n": 20} for period in PERIODS]
