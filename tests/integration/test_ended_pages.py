"""What the asset graph says of extracts whose permit ended: nothing makes them any more."""

from __future__ import annotations

import pytest
from test_extract import Hub

from hdh_assets.core.home import Home, Settings
from hdh_assets.definitions.hub import ended_extracts
from hdh_assets.extracts import assets
from hdh_assets.governance import decisions
from hdh_assets.governance.permit import Permit
from hdh_assets.governance.register import permit_of, today
from resources.registry import Registry
from tests.extract_hub import dossier, grant


@pytest.fixture
def hub(home: Home, settings: Settings) -> Hub:
    return Hub(home, settings)


def test_the_pages_of_what_was_delivered_say_that_the_permit_ended(hub: Hub) -> None:
    hub.deliver("one", tables={"omop.person": "all", "snds_dcir.er_prs_f": "all"})
    hub.deliver("other", tables={"omop.person": "all"})
    assert ended_extracts(hub.home) == []
    hub.registry.act("t", decisions.revoke("one", reason="never published", today=today()))
    shown = {spec.key.to_user_string(): spec.description or "" for spec in ended_extracts(hub.home)}
    assert set(shown) == {"extracts/one/person", "extracts/one/snds_dcir__er_prs_f"}
    for words in shown.values():
        assert words.startswith(f"**Withdrawn.** The permit of one ended on {today()}: never published")
    grant(hub.registry, dossier("one", tables={"omop.person": "all"}))
    assert ended_extracts(hub.home) == []


def test_an_ended_permit_that_cannot_be_read_leaves_the_hub_its_other_pages(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    for project in ("one", "other"):
        hub.deliver(project, tables={"omop.person": "all"})
        hub.registry.act("t", decisions.revoke(project, reason="over", today=today()))

    def read(registry: Registry, project: str, number: int) -> Permit:
        if project == "one":
            return Permit.model_validate({})
        return permit_of(registry, project, number)

    monkeypatch.setattr(assets, "permit_of", read)
    assert [spec.key.to_user_string() for spec in ended_extracts(hub.home)] == ["extracts/other/person"]
