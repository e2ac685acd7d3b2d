"""How delimited text must stand: line endings, quotes, blank lines; counts of records and delimiters.

No reader of delimited files is strict about all of it, so it is checked here, a block of whole lines at a time, with
the line of the first fault. Bytes of the wrong encoding never come this far; columns and values are judged later.

The text that leaves has no quotes: what they enclosed is written plainly, with `MARK` and a letter for each byte that
would end a field or a record. The engine reads a text in several places at once and guesses where a record begins;
within quotes it guesses wrong, and refuses sound texts or takes others for something else without a word.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hdh_assets.core.dialect import Format
from hdh_assets.sources.intake.receipt import DeliveryRefusedError, refuse

MAX_LINE_BYTES = 2 * 1024 * 1024
"""Of a line, and of a record: within quotes it may be of many lines."""
_LF, _CR = 10, 13
MARK = b"\0"
"""No text has it: the gate of bytes refuses it."""
MARKED_FEED = MARK + b"n"

Octets = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]
Positions = npt.NDArray[np.int64]


def marked_letters(delimiter: str) -> dict[str, str]:
    """What was within quotes, by the letter that stands for it after `MARK`."""
    return {"n": "\n", "r": "\r", "d": delimiter}


@dataclass
class TextCounts:
    """What a pass counted: records, the header included, and line feeds, so that a fault can be placed."""

    records: int = 0
    feeds: int = 0

    @property
    def line(self) -> int:
        """The line that follows what was counted."""
        return self.feeds + 1


class TextState:
    """Where a pass over one file stands. Blocks end with a line feed, the last one perhaps not.

    The first block is the header line.
    """

    def __init__(self, dialect: Format, file: str, counts: TextCounts) -> None:
        self._quote = ord(dialect.quote) if dialect.quote else None
        self._delimiter = ord(dialect.delimiter)
        self._letters = np.zeros(256, dtype=np.uint8)
        for letter, byte in marked_letters(dialect.delimiter).items():
            self._letters[ord(byte)] = ord(letter)
        self._file = file
        self._counts = counts
        self._opened_on: int | None = None
        self._width: int | None = None
        """Delimiters of every record, as the header has them."""
        self._carried = 0
        """Delimiters of the record that the last block left open, its bytes, and the line where it begins."""
        self._carried_bytes = 0
        self._record_line = 1
        self._is_crlf: bool | None = None
        self._is_single_column = False

    def take(self, block: bytes) -> bytes:
        """Check one block and count it; the block without quotes, its records ended by LF, which is nowhere else.

        Raises `DeliveryRefusedError`.
        """
        if self._is_crlf is None:
            first = block.partition(b"\n")[0]
            self._is_crlf = first.endswith(b"\r") and block[len(first) :] != b""
            self._is_single_column = self._delimiter not in first
        if self._opened_on is None:
            self._record_line = self._counts.line
        octets = np.frombuffer(block, dtype=np.uint8)
        # comparing and counting octets is several times faster than `bytes.count`, and without the interpreter's lock
        feeds, is_delimiter = np.flatnonzero(octets == _LF), octets == self._delimiter
        if self._quote is None or (self._opened_on is None and self._quote not in block):
            self._check_plain(block, octets, feeds)
            records, delimiters = len(feeds) + (not block.endswith(b"\n")), int(np.count_nonzero(is_delimiter))
            self._check_width(octets, is_delimiter, None, records, delimiters)
            self._count(records, len(feeds))
            return block.replace(b"\r\n", b"\n") if self._is_crlf else block
        inside = self._check_quotes(octets, self._quote)
        self._check_lines(octets, ~inside)
        is_delimiter &= ~inside
        is_end = (octets == _LF) & ~inside
        records = int(np.count_nonzero(is_end)) + (not block.endswith(b"\n"))
        delimiters = int(np.count_nonzero(is_delimiter))
        self._check_width(octets, is_delimiter, is_end, records, delimiters)
        self._count(records, len(feeds))
        plain = self._plain(octets, inside, self._quote)
        # without its quotes a last record may be nothing at all, which a line feed alone tells
        return plain if block.endswith(b"\n") else plain + b"\n"

    def _plain(self, octets: Octets, inside: Mask, quote: int) -> bytes:
        """The block without the quotes that enclose; one that is doubled inside them is one of the text."""
        is_quote = octets == quote
        doubled = is_quote & inside
        doubled[1:] &= is_quote[:-1]
        doubled[0] = False
        kept = ~is_quote | doubled
        if self._is_crlf:
            kept &= (octets != _CR) | inside
        within = inside & _is_one_of(octets, self._delimiter, _LF, _CR)
        text: Octets = octets[kept]
        if within.any():
            marked = np.flatnonzero(within[kept])
            text[marked] = self._letters[text[marked]]
            text = np.insert(text, marked, np.uint8(MARK[0]))
        return text.tobytes()

    def _count(self, records: int, feeds: int) -> None:
        self._counts.records += records
        self._counts.feeds += feeds

    def end(self) -> None:
        """Check what only the end tells: a quote left open. Raises `DeliveryRefusedError`."""
        if self._opened_on is not None:
            raise refuse("unclosed_quote", file=self._file, line=self._opened_on)

    def _check_width(
        self, octets: Octets, is_delimiter: Mask, is_end: Mask | None, records: int, delimiters: int
    ) -> None:
        """Every record has as many delimiters as the header, the first block: a count, then a search if it is wrong.

        `is_end` marks the line feeds that end a record; None: every one does. A record too long can hide one too short
        from a count: the engine finds those, by the number of the record. Where lines are more, a search is made.
        """
        if self._width is None:
            self._width = delimiters
        is_whole = self._opened_on is None
        has_more_lines = is_end is not None or self._counts.feeds > self._counts.records
        if has_more_lines or self._carried or delimiters != records * self._width:
            self._find_ragged(octets, is_delimiter, octets == _LF if is_end is None else is_end, is_whole)

    def _find_ragged(self, octets: Octets, is_delimiter: Mask, is_end: Mask, is_whole: bool) -> None:
        ends = np.flatnonzero(is_end)
        if is_whole and not (len(ends) and ends[-1] == len(octets) - 1):
            ends = np.append(ends, len(octets) - 1)
        # a search among positions is several times faster than a running sum over bytes
        upto = np.searchsorted(np.flatnonzero(is_delimiter), ends, side="right")
        found = np.diff(upto, prepend=-self._carried)
        if len(ragged := np.flatnonzero(found != self._width)):
            before = ends[: ragged[0]]
            line = self._line_of(octets, int(before[-1]) + 1) if len(before) else self._record_line
            raise refuse("ragged_row", file=self._file, line=line, expected=(self._width or 0) + 1)
        self._check_lengths(octets, ends)
        start = int(ends[-1]) + 1 if len(ends) else 0
        self._carried = int(np.count_nonzero(is_delimiter[start:])) + (0 if len(ends) else self._carried)
        if len(ends):
            self._record_line = self._line_of(octets, start)

    def _check_lengths(self, octets: Octets, ends: Positions) -> None:
        """No record is longer than a line may be. The one left open may be a quote never closed."""
        starts = np.concatenate([[0], ends + 1])
        lengths = np.diff(starts, append=len(octets))
        lengths[0] += self._carried_bytes
        self._carried_bytes = int(lengths[-1])
        if len(long := np.flatnonzero(lengths[:-1] > MAX_LINE_BYTES)):
            line = self._line_of(octets, int(starts[long[0]])) if long[0] else self._record_line
            raise refuse("line_too_long", file=self._file, line=line, expected=MAX_LINE_BYTES)

    def _check_plain(self, block: bytes, octets: Octets, feeds: Positions) -> None:
        """The usual case, no quote in sight, with a few fast searches; a fault is then located slowly."""
        if self._is_crlf:
            returns = block.count(b"\r")
            is_sound = returns == len(feeds) == block.count(b"\r\n") and not self._has_blank(feeds, 2)
        else:
            is_sound = _CR not in block and not self._has_blank(feeds, 1)
        if not is_sound:
            self._check_lines(octets, np.ones(len(octets), dtype=np.bool_))

    def _has_blank(self, feeds: Positions, width: int) -> bool:
        """Whether two line feeds are one line ending apart, or the block begins with one."""
        is_blank = bool((np.diff(feeds, prepend=-1) == width).any())
        return is_blank and not self._is_single_column

    def _check_quotes(self, octets: Octets, quote: int) -> Mask:
        """Which bytes are within quotes, the opening quote included.

        A quote opens after a delimiter or a line feed and closes before one; doubled inside, it closes and opens.
        """
        is_quote = octets == quote
        inside = np.logical_xor.accumulate(is_quote) ^ (self._opened_on is not None)
        quotes = np.flatnonzero(is_quote)
        openings, closings = quotes[inside[quotes]], quotes[~inside[quotes]]
        before = np.where(openings == 0, _LF, octets[openings - 1])
        after = np.where(closings == len(octets) - 1, _LF, octets[np.minimum(closings + 1, len(octets) - 1)])
        stray = np.concatenate(
            [
                openings[~_is_one_of(before, self._delimiter, _LF, quote)],
                closings[~_is_one_of(after, self._delimiter, _LF, _CR, quote)],
            ]
        )
        if len(stray):
            raise self._fault("quoting", octets, int(stray.min()))
        if not inside[-1]:
            self._opened_on = None
        elif len(begun := openings[before != quote]):
            self._opened_on = self._line_of(octets, int(begun[-1]))
        return inside

    def _check_lines(self, octets: Octets, outside: Mask) -> None:
        feeds = np.flatnonzero((octets == _LF) & outside)
        returns = np.flatnonzero((octets == _CR) & outside)
        bad = returns
        if self._is_crlf:
            ended = octets[np.minimum(returns + 1, len(octets) - 1)] == _LF
            begun = (feeds > 0) & (octets[feeds - 1] == _CR)
            bad = np.concatenate([returns[~ended], feeds[~begun]])
        if len(bad):
            raise self._fault("line_ending", octets, int(bad.min()))
        starts = np.concatenate([[0], feeds + 1])
        starts = starts[starts < len(octets)]
        starts = starts[outside[starts]]
        blanks = starts[_is_one_of(octets[starts], _LF, _CR)]
        if len(blanks) and not self._is_single_column:
            raise self._fault("blank_line", octets, int(blanks.min()))

    def _fault(self, rule: str, octets: Octets, position: int) -> DeliveryRefusedError:
        return refuse(rule, file=self._file, line=self._line_of(octets, position))

    def _line_of(self, octets: Octets, position: int) -> int:
        return self._counts.line + int(np.count_nonzero(octets[:position] == _LF))


def _is_one_of(octets: Octets, *wanted: int) -> Mask:
    """Which bytes are one of these: thirty times faster than `np.isin`, for so few."""
    found = np.zeros(len(octets), dtype=np.bool_)
    for byte in wanted:
        found |= octets == byte
    return found
