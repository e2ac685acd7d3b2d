"""Definitions of a running hub, loaded again without a restart when what they were made from changed."""

import dagster as dg

from hdh_assets.core.descriptor_files import added_fingerprint, load_datasets
from hdh_assets.core.errors import DescriptorError
from resources.hub import Hub
from resources.webserver import reload_location

SECONDS = 10


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
        try:
            load_datasets(hub.home)
        except DescriptorError as error:
            return dg.SkipReason(f"a descriptor changed and nothing is run until it is corrected: {error.message}")
        is_asked = reload_location(hub.home, location)
        return dg.SkipReason(
            f"descriptors changed; definitions are loaded again{'' if is_asked else ' at the next start'}"
        )

    return descriptors
