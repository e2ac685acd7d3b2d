"""The gate of bytes: one pass over one file, from what the producer sent to clean UTF-8 lines.

Decompression (bounded), strict decoding of the declared encoding, byte-order mark, NUL, length of lines. It repairs
nothing: the text that leaves is the text that came, in UTF-8. How lines and quotes stand is in `text_structure.py`;
columns and values belong to later gates.
"""

from __future__ import annotations

import codecs
import zlib
from collections.abc import Iterator
from itertools import chain

from hdh_assets.core.dialect import Format
from hdh_assets.sources.intake.receipt import refuse
from hdh_assets.sources.intake.text_structure import MAX_LINE_BYTES, TextCounts, TextState

_GZIP_STEP = 4 * 1024 * 1024
_GZIP_READ = 16 * 1024
"""Compressed bytes at a time: at the end of each member, what is left of them is copied."""
_GZIP_BLOCK = 128 * 1024
"""Clear bytes of a block, at least: a member may hold one byte, and the gates after this one work block by block."""
_GZIP_ALLOWANCE = 1024 * 1024
_UTF8_MARK = codecs.BOM_UTF8


def decompress(blocks: Iterator[bytes], size: int, max_expansion: int, file: str) -> Iterator[bytes]:
    """The content of a gzip file, member after member, in blocks that are not small but for the last.

    Raises `DeliveryRefusedError`: cut, damaged, or a bomb, with the line it was readable to.
    """
    pieces, length = [], 0
    for piece in _members(blocks, size * max_expansion + _GZIP_ALLOWANCE, max_expansion, file):
        pieces.append(piece)
        length += len(piece)
        if length >= _GZIP_BLOCK:
            yield b"".join(pieces)
            pieces, length = [], 0
    if pieces:
        yield b"".join(pieces)


def _members(blocks: Iterator[bytes], allowed: int, max_expansion: int, file: str) -> Iterator[bytes]:
    """What each read of the file gives, at most `allowed` bytes in all."""
    stream = zlib.decompressobj(wbits=31)
    is_started, produced, line = False, 0, 1
    for read in (block[start : start + _GZIP_READ] for block in blocks for start in range(0, len(block), _GZIP_READ)):
        pending = read
        while pending:
            if stream.eof:
                stream, is_started = zlib.decompressobj(wbits=31), False
            try:
                clear = stream.decompress(pending, _GZIP_STEP)
            except zlib.error:
                raise refuse("gzip_damaged", file=file, line=line) from None
            is_started = True
            produced += len(clear)
            if produced > allowed:
                raise refuse("gzip_bomb", file=file, line=line, expected=max_expansion)
            if clear:
                line += clear.count(b"\n")
                yield clear
            pending = stream.unused_data if stream.eof else stream.unconsumed_tail
    if is_started and not stream.eof:
        raise refuse("gzip_damaged", file=file, line=line)


def decode(blocks: Iterator[bytes], encoding: str, file: str, counts: TextCounts) -> Iterator[bytes]:
    """The same text in UTF-8. Raises `DeliveryRefusedError` with the line of a byte not of the declared encoding.

    `counts` is what the gates after this one count: they have taken whatever came before the block being read.
    """
    codec = "utf-8" if encoding == "utf-8-sig" else encoding
    decoder = codecs.getincrementaldecoder(codec)("strict")
    is_first = True
    for raw in blocks:
        block = _without_mark(raw, encoding, file) if is_first else raw
        is_first = False
        try:
            clear = block if block.isascii() and not decoder.getstate()[0] else _transcoded(decoder, block)
        except UnicodeDecodeError as error:
            raise refuse(
                "encoding", file=file, line=counts.line + error.object[: error.start].count(b"\n"), expected=encoding
            ) from None
        if (nul := clear.find(0)) >= 0:
            raise refuse("nul_byte", file=file, line=counts.line + clear.count(b"\n", 0, nul))
        if clear:
            yield clear
    if decoder.getstate()[0]:
        raise refuse("encoding", file=file, line=counts.line, expected=encoding)


def whole_lines(blocks: Iterator[bytes], file: str, counts: TextCounts) -> Iterator[bytes]:
    """The same bytes, cut after line feeds. Raises `DeliveryRefusedError` for a line longer than any real one."""
    rest = b""
    for block in blocks:
        cut = block.rfind(b"\n") + 1
        if cut:
            yield rest + block[:cut]
            rest = block[cut:]
        else:
            rest += block
        if len(rest) > MAX_LINE_BYTES:
            rule = "line_ending" if b"\r" in rest else "line_too_long"
            raise refuse(rule, file=file, line=counts.line, expected=MAX_LINE_BYTES)
    if rest:
        yield rest


def check_text(blocks: Iterator[bytes], dialect: Format, file: str, counts: TextCounts) -> Iterator[bytes]:
    """The same whole lines, each block yielded once its structure is sound, lines ended by LF; `counts` grows.

    The first block given is the first line alone, so that a wrong header is told before rows that do not fit it.
    Raises `DeliveryRefusedError` with the line of the first fault.
    """
    state = TextState(dialect, file, counts)
    first = next(blocks, b"")
    header, feed, rest = first.partition(b"\n")
    for block in chain((header + feed, rest), blocks):
        if block:
            yield state.take(block)
    state.end()


def _without_mark(block: bytes, encoding: str, file: str) -> bytes:
    has_mark = block.startswith(_UTF8_MARK)
    if has_mark is not (encoding == "utf-8-sig"):
        expected, expected_fr = ("no", "pas d'indicateur") if has_mark else ("a", "un indicateur")
        found, found_fr = ("present", "présent") if has_mark else ("absent", "absent")
        words = {"expected": expected, "expected_fr": expected_fr, "found": found, "found_fr": found_fr}
        raise refuse("byte_order_mark", file=file, line=1, **words)
    return block[len(_UTF8_MARK) :] if has_mark else block


def _transcoded(decoder: codecs.IncrementalDecoder, block: bytes) -> bytes:
    return decoder.decode(block).encode("utf-8")
