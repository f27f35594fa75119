"""A table of many pages takes no more memory to fetch and store than one of few."""

from __future__ import annotations

from benchmarks.bench_sources import peak_of_process

# A page has 5 MB. What it leaves behind is a byte for each row (has it come?), a note of its address, and the codes of
# areas not seen before, of which this table, made to be long, has 625 new ones on every page.
MOST_MEGABYTES_A_PAGE = 0.5


def test_memory_does_not_grow_with_the_number_of_pages() -> None:
    few, many = peak_of_process(4), peak_of_process(40)
    assert many - few < 36 * MOST_MEGABYTES_A_PAGE
