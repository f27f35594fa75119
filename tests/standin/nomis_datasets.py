"""The Nomis data sets the stand-in holds, filled with the real figures at hand.

For slices of which no real figure is at hand, figures are derived from real ones by a fixed rule (``_scaled``), so that
their shape, size and completeness can be tried; they are in no way the publisher's. Anything else is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from tests.standin.figures import Cell, Figures

MISSING = Cell(None)
Lookup = Callable[[str, str, Sequence[str]], Cell]
Series = Mapping[tuple[str, ...], Mapping[tuple[str, str], Cell]]  # options of each dimension; then (area, year)


@dataclass(frozen=True)
class Dataset:
    """``dimensions`` maps each concept to its options (code to name); ``cell`` gives the figure of area, date, codes."""

    name: str
    last_updated: str
    dimensions: Mapping[str, Mapping[str, str]]
    measures: Mapping[str, str]
    dates: Mapping[str, str]
    cell: Lookup
    error_measure: str | None = None
    error_is_cv: bool = False


def _els(figures: Figures, slug: str) -> Mapping[tuple[str, str], Cell]:
    """Cells of an ELS indicator by (area, year). An indicator that is not at hand has none."""
    try:
        table = figures.table(slug)
    except KeyError:
        return {}
    return {(area, period[:4]): cell for (area, period), cell in table.cells.items()}


def _by_option(series: Series) -> Lookup:
    """Figures of a year for the options they are known for; anything else is missing."""

    def cell(area: str, date: str, options: Sequence[str]) -> Cell:
        return series.get(tuple(options), {}).get((area, date[:4]), MISSING)

    return cell


def _scaled(cells: Mapping[tuple[str, str], Cell], factor: float, digits: int) -> Mapping[tuple[str, str], Cell]:
    """Figures derived from real ones, with their interval: not the publisher's."""

    def scaled(number: float | None) -> float | None:
        return None if number is None else round(number * factor, digits)

    return {key: Cell(*map(scaled, (cell.value, cell.lower, cell.upper))) for key, cell in cells.items()}


def _until(cells: Mapping[tuple[str, str], Cell], year: str) -> Mapping[tuple[str, str], Cell]:
    return {key: cell for key, cell in cells.items() if key[1] <= year}


def _later(cells: Mapping[tuple[str, str], Cell], years: Sequence[str]) -> Mapping[tuple[str, str], Cell]:
    """The figures of the newest year, given again for ``years``."""
    newest = max((year for _, year in cells), default="")
    return {(area, year): cell for (area, held), cell in cells.items() if held == newest for year in years}


def _population_survey(figures: Figures) -> Dataset:
    series: Series = {
        ("45",): _els(figures, "employment-rate"),
        ("111",): _els(figures, "economic-inactivity-rate"),
        ("1908",): _els(figures, "level-3-or-above-qualifications"),
        ("1947",): _els(figures, "no-qualifications-great-britain"),
        ("84",): _scaled(_els(figures, "modelled-unemployment"), 1.02, 1),
        ("1902",): _scaled(_els(figures, "level-3-or-above-qualifications"), 0.7, 1),
        ("1909",): _scaled(_els(figures, "level-3-or-above-qualifications"), 1.1, 1),
        ("290",): _until(_scaled(_els(figures, "employment-rate"), 0.5, 1), "2021"),
        ("720",): _until(_scaled(_els(figures, "employment-rate"), 0.7, 1), "2021"),
        ("344",): _until(_scaled(_els(figures, "employment-rate"), 0.1, 1), "2021"),
    }
    years = range(2004, 2024)
    by_option = _by_option(series)

    def cell(area: str, date: str, options: Sequence[str]) -> Cell:
        return by_option(area, date, options) if date.endswith("-12") else MISSING

    names = {
        "18": "Economic activity rate - aged 16-64",
        "45": "Employment rate - aged 16-64",
        "84": "Unemployment rate - aged 16-64 ",  # the trailing blank is Nomis's own
        "111": "% who are economically inactive - aged 16-64",
        "290": "% with NVQ4+ - aged 16-64",
        "720": "% with NVQ3+ - aged 16-64",
        "344": "% with no qualifications (NVQ) - aged 16-64",
        "1902": "% with RQF4+ - aged 16-64",
        "1908": "% with RQF3+ - aged 16-64",
        "1909": "% with RQF2+ - aged 16-64",
        "1947": "% with no qualifications (RQF) - aged 16-64",
    }
    spans = [(year, month) for year in years for month in (3, 6, 9, 12) if (year, month) >= (2004, 12)]
    return Dataset(
        name="annual population survey - variables (percentages)",
        last_updated="2026-07-21 09:30:00",
        dimensions={"variable": names},
        measures={"20599": "Variable", "21001": "Numerator", "21002": "Denominator", "21003": "Confidence"},
        dates={f"{year}-{month:02d}": _year_to(year, month) for year, month in spans},
        cell=cell,
        error_measure="21003",
    )


def _year_to(year: int, month: int) -> str:
    months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    return f"{months[month % 12]} {year if month == 12 else year - 1}-{months[month - 1]} {year}"


def _residents_pay(figures: Figures) -> Dataset:
    statistics = {"6": "p10", "7": "p20", "8": "p25", "9": "p30", "10": "p40", "2": "median", "4": "mean"}
    statistics |= {"11": "p60", "12": "p70", "13": "p75", "14": "p80", "15": "p90"}
    series: dict[tuple[str, ...], Mapping[tuple[str, str], Cell]] = {
        ("7", item, "7"): figures.annual_pay(statistic) for item, statistic in statistics.items()
    }
    series["7", "2", "1"] = weekly = _els(figures, "gross-median-weekly-pay")
    for item, statistic in statistics.items():
        annual = figures.annual_pay(statistic)
        series.setdefault(("7", item, "1"), _scaled(annual, 1 / 52, 1))
        series["7", item, "6"] = _scaled(annual, 1 / 1820, 2)
    for sex, factor in (("5", 1.1), ("6", 0.9)):
        series[sex, "2", "1"] = _scaled(weekly, factor, 1)
        series[sex, "2", "6"] = _scaled(weekly, factor / 36, 2)
    return _pay("annual survey of hours and earnings - resident analysis", series)


def _workplace_pay(figures: Figures) -> Dataset:
    weekly = _els(figures, "gross-median-weekly-pay")
    series = {(sex, "2", "1"): _scaled(weekly, factor, 1) for sex, factor in (("7", 1.01), ("5", 1.1), ("6", 0.9))}
    return _pay(
        "annual survey of hours and earnings - workplace analysis",
        {**series, ("7", "2", "6"): _scaled(weekly, 1 / 36, 2)},
    )


def _pay(name: str, series: Series) -> Dataset:
    percentiles = {
        "6": "10",
        "7": "20",
        "8": "25",
        "9": "30",
        "10": "40",
        "11": "60",
        "12": "70",
        "13": "75",
        "14": "80",
    }
    items = {"2": "Median", "4": "Mean"} | {code: f"{number} percentile" for code, number in percentiles.items()}
    return Dataset(
        name=name,
        last_updated="2025-11-03 09:30:00",
        dimensions={
            "sex": {"5": "Male", "6": "Female", "7": "Total", "8": "Full Time Workers"},
            "item": items | {"15": "90 percentile"},
            "pay": {
                "1": "Weekly pay - gross",
                "5": "Hourly pay - gross",
                "6": "Hourly pay - excluding overtime",
                "7": "Annual pay - gross",
            },
        },
        measures={"20100": "Value", "20701": "Confidence"},
        dates={str(year): str(year) for year in range(2002, 2026)},
        cell=_by_option(series),
        error_measure="20701",
        error_is_cv=True,
    )


def _claimants(figures: Figures) -> Dataset:
    """Every month carries its year's average, the only real figure at hand."""
    months = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ]
    return Dataset(
        name="claimant count by sex and age",
        last_updated="2026-10-13 07:00:00",
        dimensions={
            "gender": {"0": "Total", "1": "Male", "2": "Female"},
            "age": {"0": "All categories: Age 16+"},
            "measure": {"1": "Claimant count", "2": "Claimants as a proportion of residents aged 16-64"},
        },
        measures={"20100": "Value"},
        dates={f"{y}-{m:02d}": f"{months[m - 1]} {y}" for y in range(2013, 2026) for m in range(1, 13)},
        cell=_by_option(
            {
                ("0", "0", "2"): _els(figures, "claimant-count"),
                ("0", "0", "1"): _scaled(_els(figures, "claimant-count"), 1000, 0),
            }
        ),
    )


def _modelled_unemployment(figures: Figures) -> Dataset:
    spans = [(year, month) for year in range(2004, 2026) for month in (3, 6, 9, 12) if (year, month) >= (2004, 12)]
    real = _els(figures, "modelled-unemployment")
    rate = _by_option({("2",): {**_later(real, ["2024", "2025"]), **real}})
    return Dataset(
        name="model based estimates of unemployment",
        last_updated="2026-07-21 09:30:00",
        dimensions={"item": {"1": "Unemployment count", "2": "Unemployment rate"}},
        measures={"20100": "Value", "20701": "Confidence"},
        dates={f"{year}-{month:02d}": _year_to(year, month) for year, month in spans},
        cell=lambda area, date, options: rate(area, date, options) if date.endswith("-12") else MISSING,
        error_measure="20701",
    )


def _jobs_density(figures: Figures) -> Dataset:
    derived = {key: cell for key, cell in _els(figures, "claimant-count").items() if key[1] <= "2023"}
    kirklees: Series = {
        ("1",): {("E08000034", "2023"): Cell(183000.0)},
        ("3",): {**{key: Cell(0.8) for key in derived}, ("E08000034", "2023"): Cell(0.66)},
    }
    return Dataset(
        name="jobs density",
        last_updated="2025-01-21 09:30:00",
        dimensions={"item": {"1": "Total jobs", "3": "Jobs density"}},
        measures={"20100": "Value"},
        dates={str(year): str(year) for year in range(2000, 2024)},
        cell=_by_option(kirklees),
    )


def _population(figures: Figures) -> Dataset:
    """No real figure of it is at hand: every area has as many people."""
    areas = {area for area, _ in _els(figures, "claimant-count")}
    years = [str(year) for year in range(2001, 2026)]
    people = {(area, year): 150_000.0 for area in areas for year in years}
    return Dataset(
        name="population estimates - local authority based by single year of age",
        last_updated="2026-07-29 09:30:00",
        dimensions={
            "gender": {"0": "Total", "1": "Male", "2": "Female"},
            "c_age": {"200": "All Ages", "203": "Aged 16 to 64"},
        },
        measures={"20100": "value", "20301": "percent"},
        dates={year: year for year in years},
        cell=_by_option(
            {
                ("0", "200"): {key: Cell(number) for key, number in people.items()},
                ("0", "203"): {key: Cell(number * 0.6) for key, number in people.items()},
            }
        ),
    )


def _household_deprivation(figures: Figures) -> Dataset:
    """No real figure of it is at hand."""
    derived = _scaled(_els(figures, "employment-rate"), 0.6, 1)
    return Dataset(
        name="TS011 - Households by deprivation dimensions",
        last_updated="2022-11-29 09:30:00",
        dimensions={
            "c2021_dep_6": {
                "0": "Total: All households",
                "1": "Household is not deprived in any dimension",
                "2": "Household is deprived in one dimension",
            }
        },
        measures={"20100": "value", "20301": "percent"},
        dates={"2021": "2021"},
        cell=_by_option({("1",): derived}),
    )


DATASETS: Mapping[str, Callable[[Figures], Dataset]] = {
    "NM_17_5": _population_survey,
    "NM_30_1": _residents_pay,
    "NM_99_1": _workplace_pay,
    "NM_162_1": _claimants,
    "NM_127_1": _modelled_unemployment,
    "NM_57_1": _jobs_density,
    "NM_2002_1": _population,
    "NM_2031_1": _household_deprivation,
}


@cache
def dataset(dataset_id: str, figures: Figures) -> Dataset | None:
    """The data set of an upper-case id, made once in a process; None for one that is not spoken here."""
    return DATASETS[dataset_id](figures) if dataset_id in DATASETS else None
