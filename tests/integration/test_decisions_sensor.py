"""What the sensor of decisions answers for a permit without extract: a run, or why there is none now."""

from __future__ import annotations

import dagster as dg

from hdh_assets.core.home import Home, Settings
from hdh_assets.definitions import hub
from resources.registry import Registry
from sensors.runs import POSTPONED
from tests.extract_hub import dossier, fill, grant
from tests.failing_job import failing


def test_an_extract_is_asked_for_until_it_failed_twice_and_then_the_sensor_says_that_it_waits(
    home: Home, settings: Settings
) -> None:
    fill(home, settings, persons=20)
    with Registry(home, settings) as registry:
        grant(registry, dossier("study"))
    repository = hub.build_defs(home=home).get_repository_def()

    def answer(instance: dg.DagsterInstance) -> dg.SensorExecutionData:
        with dg.build_sensor_context(
            instance=instance,
            repository_def=repository,
            sensor_name="decisions",
            resources=repository.get_top_level_resources(),
        ) as context:
            return repository.get_sensor_def("decisions").evaluate_tick(context)

    with dg.DagsterInstance.ephemeral() as instance:
        for failed in range(2):
            (request,) = answer(instance).run_requests
            assert request.run_key == f"study/permit-1:{failed}"
            failing.execute_in_process(instance=instance, tags=dict(request.tags), raise_on_error=False)
        told = answer(instance)
    assert not told.run_requests
    assert told.skip_message == f"study/permit-1: {POSTPONED} 2 times; look at its runs. It is tried again later"
