"""Definitions of a running hub, loaded again without a restart when what they were made from changed.

While a descriptor is wrong they cannot be, by a run neither: the sensors that ask for runs then wait.
"""

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import TypeVar

import dagster as dg

from hdh_assets.core.descriptor_files import added_fingerprint, load_datasets
from hdh_assets.core.errors import DescriptorError
from hdh_assets.core.home import Home
from resources.hub import Hub
from resources.webserver import reload_location
from sensors.runs import UNCORRECTED

SECONDS = 10
Answer = TypeVar("Answer")


def descriptors_sensor(location: str, loaded: str) -> dg.SensorDefinition:
    """Has the code location loaded again when a descriptor of the home changed; `loaded` is what it knows of them.

    See `added_fingerprint`.
    """

    @dg.sensor(
        name=f"descriptors_of_{location}",
        description="Descriptors of the home that were added, corrected or removed since the location was loaded.",
        minimum_interval_seconds=SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    def descriptors(hub: Hub) -> dg.SkipReason:
        if added_fingerprint(hub.home) == loaded:
            return dg.SkipReason("the loaded definitions follow the descriptors")
        if problem := _descriptor_problem(hub.home):
            return dg.SkipReason(problem)
        is_asked = reload_location(hub.home, location)
        return dg.SkipReason(
            f"descriptors changed; definitions are loaded again{'' if is_asked else ' at the next start'}"
        )

    return descriptors


def unless_descriptors_are_wrong(
    evaluate: Callable[[dg.SensorEvaluationContext, Hub], Answer],
) -> Callable[[dg.SensorEvaluationContext, Hub], Answer | dg.SkipReason]:
    """The evaluation of a sensor that asks for nothing while a descriptor is wrong, and says so.

    A run loads the definitions in its own process: none could begin.
    """

    @wraps(evaluate)
    def evaluate_unless(context: dg.SensorEvaluationContext, hub: Hub) -> Answer | dg.SkipReason:
        if problem := _descriptor_problem(hub.home):
            return dg.SkipReason(problem)
        return evaluate(context, hub)

    return evaluate_unless


def _descriptor_problem(home: Home) -> str:
    """What is wrong with the descriptors, in words; empty when nothing is."""
    return _problem_of(home, added_fingerprint(home))


@lru_cache(maxsize=1)
def _problem_of(home: Home, _: str) -> str:
    """Looked for once per change: every sensor asks."""
    try:
        load_datasets(home)
    except DescriptorError as error:
        return f"a descriptor changed and {UNCORRECTED}: {error.message}"
    return ""
