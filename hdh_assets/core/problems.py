"""What is wrong with a part of a description, all of it at once, each problem at its place.

A rule across fields that raises the first problem it meets, for the whole, sends its reader to line 1 again and again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

Location = tuple[int | str, ...]
"""The way to a value: keys of mappings and positions in lists."""


class ProblemsError(ValueError):
    """What a validator found, each with the way from the part that was validated to what is wrong."""

    def __init__(self, told: Sequence[tuple[Location, str]]) -> None:
        super().__init__("\n".join(message for _, message in told))
        self.told = tuple(told)


class Problems:
    """Those met so far."""

    def __init__(self) -> None:
        self._told: list[tuple[Location, str]] = []

    def add(self, message: str, *place: int | str) -> None:
        """Note a problem at a place."""
        self._told.append((place, message))

    @contextmanager
    def at(self, *place: int | str) -> Iterator[None]:
        """Note a `ValueError` raised within as a problem at the place, and go on."""
        try:
            yield
        except ValueError as error:
            self.add(str(error), *place)

    def end(self) -> None:
        """Raise `ProblemsError` when there was any."""
        if self._told:
            raise ProblemsError(self._told)
