"""A pull as a `pyarrow.RecordBatchReader`: what DuckDB, Polars, Delta and Ray read as it is."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack

import pyarrow as pa

from .arrow import to_metadata
from .stream import RecordStream

__all__ = ["open_reader"]


def open_reader(opening: AbstractContextManager[RecordStream]) -> pa.RecordBatchReader:
    """A reader over a stream. Its first rows have arrived; `opening` is left when the last one is read."""
    with ExitStack() as stack:
        stream = stack.enter_context(opening)
        described = stream.schema.with_metadata(to_metadata(stream.attrs))
        return pa.RecordBatchReader.from_batches(described, _batches(stream, stack.pop_all()))


def _batches(stream: RecordStream, stack: ExitStack) -> Iterator[pa.RecordBatch]:
    with stack:
        known = set(stream.warnings)
        for rows in stream:
            yield from rows.to_batches()
    for text in stream.warnings:  # what is known at the start stands in the schema
        if text not in known:
            warnings.warn(text, UserWarning, stacklevel=2)
