"""The ONS dataset API as WIRE_FORMATS section 3 describes it, with one data set of pay in the ``v4`` layout.

Errors are plain text. The header's ``V4_2`` is in capitals, and a missing value is an empty first column with a marker.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.standin.exchange import Reply, Request, json_reply
from tests.standin.figures import Figures

PREFIX = "/beta/v1"
DOWNLOADS = "/downloads"
DATASET, EDITION, VERSION = "ashe-tables-7-and-8", "2022", 2
HEADER = (
    "V4_2,CV,Data Marking,calendar-years,Time,administrative-geography,Geography,"
    "averages-and-percentiles,AveragesAndPercentiles,hours-and-earnings,HoursAndEarnings"
)
RELEASED = "2024-01-17T09:30:00.000Z"


class OnsDatasetService:
    """Answers the description of a data set and of a version, and the download of its CSV."""

    def __init__(self, figures: Figures) -> None:
        self._figures = figures

    def answer(self, request: Request) -> Reply:
        if request.path.startswith(DOWNLOADS):
            return self._download(request)
        path = request.path.removeprefix(PREFIX)
        if path == f"/datasets/{DATASET}":
            link = f"https://api.beta.ons.gov.uk/v1/datasets/{DATASET}/editions/{EDITION}/versions/{VERSION}"
            return json_reply({"id": DATASET, "links": {"latest_version": {"href": link, "id": str(VERSION)}}})
        if path == f"/datasets/{DATASET}/editions/{EDITION}/versions/{VERSION}":
            host = next(value for name, value in request.headers.items() if name.lower() == "host")
            csv = f"http://{host}{DOWNLOADS}/datasets/{DATASET}/editions/{EDITION}/versions/{VERSION}.csv"
            downloads = {"csv": {"href": csv, "size": "1"}}
            return json_reply(
                {"edition": EDITION, "version": VERSION, "release_date": RELEASED, "downloads": downloads}
            )
        missing = "version" if "/versions/" in path else "edition" if "/editions" in path else "dataset"
        return plain_error(404, f"{missing} not found")

    def _download(self, request: Request) -> Reply:
        if not re.fullmatch(
            rf"{DOWNLOADS}/datasets/{DATASET}/editions/{EDITION}/versions/{VERSION}\.csv", request.path
        ):
            return plain_error(404, "version not found")
        return Reply(200, ("\n".join([HEADER, *self._rows()]) + "\n").encode(), {"content-type": "text/csv"})

    def _rows(self) -> Iterator[str]:
        for (area, period), cell in sorted(self._figures.table("gross-median-weekly-pay").cells.items()):
            for statistic, factor in (("Median", 1.0), ("Mean", 1.2)):
                value = "" if cell.value is None else repr(round(cell.value * factor, 1))
                marking = "." if cell.value is None else ""
                yield (
                    f"{value},,{marking},{period[:4]},{period[:4]},{area},A place,"
                    f"{statistic.lower()},{statistic},weekly-pay-gross,Weekly pay - Gross"
                )


def plain_error(status: int, text: str) -> Reply:
    return Reply(status, f"{text}\n".encode(), {"content-type": "text/plain; charset=utf-8"})
