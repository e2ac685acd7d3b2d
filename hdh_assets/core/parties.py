"""Who delivers a dataset and answers for it, what is borne of their deliveries, and how those of a trial are made.

Here: the small parts of a descriptor that hang together with no other. What is delivered is in `descriptor.py`.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from hdh_assets.core.column import Frozen, Identifier, of_form
from hdh_assets.core.generators import check_generator

_OWNER = r"team:[a-z][a-z0-9_-]*|[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,7}"
"""A team, or an address that Dagster takes for one: it loads no asset of any dataset otherwise."""
_OWNER_WORDS = "`team:` and a name in lower case, or an e-mail address, as team:registries or data@chu.example"
Owner = Annotated[str, of_form(_OWNER, _OWNER_WORDS)]


class Party(Frozen):
    """Who delivers or answers for a dataset."""

    id: Identifier
    name: str
    contact: str


class Thresholds(Frozen):
    """When rejects become a refusal."""

    max_reject_ratio: float = Field(default=0.01, ge=0, le=1)
    """Greatest share of rejected rows in a table; above it the delivery is refused."""


class Synth(Frozen):
    """How synthetic deliveries are made."""

    generator: Annotated[str, AfterValidator(check_generator)] = "generic"
    """Name of a registered generator; `generic` derives everything from the descriptor."""
    rows_per_person: float = Field(default=10, gt=0)
