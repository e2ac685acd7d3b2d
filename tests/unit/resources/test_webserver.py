"""What the hub asks of its own webserver, wherever the environment sends what goes out."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from resources.webserver import heartbeats, location_states, turned_off

SWITCHES = {
    "sensors": [
        {"name": "deliveries", "sensorState": {"status": "STOPPED"}},
        {"name": "oppositions", "sensorState": {"status": "RUNNING"}},
    ],
    "schedules": [{"name": "nightly_maintenance", "scheduleState": {"status": "STOPPED"}}],
}
ENTRY = {"name": "hub", "locationOrLoadError": {"__typename": "RepositoryLocation", "repositories": [SWITCHES]}}
PARTS = [{"daemonType": "SENSOR", "lastHeartbeatTime": 12.5}, {"daemonType": "ASSET", "lastHeartbeatTime": None}]


class _Webserver(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()
        entries = [ENTRY, {"name": "loading", "locationOrLoadError": None}]
        health = {"daemonHealth": {"allDaemonStatuses": PARTS}}
        self.wfile.write(
            json.dumps({"data": {"workspaceOrError": {"locationEntries": entries}, "instance": health}}).encode()
        )

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def url() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), _Webserver) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_it_is_asked_without_the_proxy_that_the_environment_names(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("urllib.request._opener", None)  # what a former test may have opened, before it was named
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    assert [(state.name, state.is_loaded) for state in location_states(url, patience=5)] == [
        ("hub", True),
        ("loading", False),
    ]


def test_what_was_turned_off_is_named_and_what_the_daemon_said_last_known(url: str) -> None:
    assert turned_off(url, patience=5) == ["deliveries", "nightly_maintenance"]
    assert heartbeats(url, patience=5) == {"SENSOR": 12.5, "ASSET": 0.0}
    nobody = "http://127.0.0.1:9"
    assert (turned_off(nobody, patience=1), heartbeats(nobody, patience=1)) == ([], {})
