"""The Nomis data sets the stand-in holds, filled with the real figures at hand.

For slices of which no real figure is at hand, figures are derived from real ones by a fixed rule (``_scaled``), so that
their shape, size and completeness can be tried; they are in no way the publisher's. Anything else is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

from tests.standin.figures import Cell, Figures

MISSING = Cell(None)
Lookup = Callable[[str, str, Sequence[str]], Cell]
Series = Mapping[tuple[str, ...], Mapping[tuple[str, str], Cell]]  # options of each dimension; then (area, year)


@dataclass(frozen=True)
class Dataset:
    """``dimensions`` maps each concept to its options (code to name); ``cell`` gives the figure of area, date, codes.

    Nomis's list of districts has Northern Ireland's too, in most data sets without figures; those of pay leave them out.
    """

    name: str
    last_updated: str
    dimensions: Mapping[str, Mapping[str, str]]
    measures: Mapping[str, str]
    dates: Mapping[str, str]
    cell: Lookup
    error_measure: str | None = None
    error_is_cv: bool = False
    unit: str = "Persons"
    note: str = ""
    lists_northern_ireland: bool = True
    gives_northern_ireland: bool = False


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
        ("301",): _until(_scaled(_els(figures, "employment-rate"), 0.9, 1), "2021"),
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
        "301": "% with NVQ2+ - aged 16-64",  # its code is the stand-in's own, as are 1908 and 1909
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


# The statistics of pay by their code, as the shipped annual figures call them.
STATISTICS: Mapping[str, str] = {
    "6": "p10",
    "7": "p20",
    "8": "p25",
    "9": "p30",
    "10": "p40",
    "2": "median",
    "4": "mean",
    "11": "p60",
    "12": "p70",
    "13": "p75",
    "14": "p80",
    "15": "p90",
}
SEXES: Mapping[str, float] = {
    "7": 1.0,
    "5": 1.1,
    "6": 0.95,
}  # total, male, female: how far the latter are made to differ
HOURS_A_YEAR = 1700


def _residents_pay(figures: Figures) -> Dataset:
    series = _pay_series(figures, 1.0)
    for item, statistic in STATISTICS.items():
        series["7", item, "7"] = figures.annual_pay(statistic)
    weekly = _els(figures, "gross-median-weekly-pay")
    for sex, factor in SEXES.items():
        series[sex, "2", "1"] = weekly if factor == 1.0 else _scaled(weekly, factor, 1)
        series[sex, "2", "6"] = _scaled(weekly, factor / 36, 2)
    return _pay("annual survey of hours and earnings - resident analysis", series)


def _workplace_pay(figures: Figures) -> Dataset:
    series = _pay_series(figures, 1.01)
    weekly = _els(figures, "gross-median-weekly-pay")
    for sex, factor in SEXES.items():
        series[sex, "2", "1"] = _scaled(weekly, 1.01 * factor, 1)
        series[sex, "2", "6"] = _scaled(weekly, 1.01 * factor / 36, 2)
    return _pay("annual survey of hours and earnings - workplace analysis", series)


def _pay_series(figures: Figures, scale: float) -> dict[tuple[str, ...], Mapping[tuple[str, str], Cell]]:
    """Weekly and hourly pay at every statistic and of each sex, derived from annual pay."""
    series: dict[tuple[str, ...], Mapping[tuple[str, str], Cell]] = {}
    for item, statistic in STATISTICS.items():
        annual = figures.annual_pay(statistic)
        for sex, factor in SEXES.items():
            series[sex, item, "1"] = _scaled(annual, scale * factor / 52, 1)
            series[sex, item, "6"] = _scaled(annual, scale * factor / HOURS_A_YEAR, 2)
    return series


def _pay(name: str, series: Series) -> Dataset:
    items = {
        code: f"{statistic[1:]} percentile" if statistic.startswith("p") else statistic.capitalize()
        for code, statistic in STATISTICS.items()
    }
    return Dataset(
        name=name,
        last_updated="2025-11-03 09:30:00",
        dimensions={
            "sex": {"5": "Male", "6": "Female", "7": "Total", "8": "Full Time Workers"},
            "item": items,
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
        unit="GBP",
        note="Figures whose coefficient of variation is above 20 per cent are withheld.",
        lists_northern_ireland=False,
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
        gives_northern_ireland=True,
    )


def _population_by_band(figures: Figures) -> Dataset:
    """The same people as in ``_population``, by the codes of the older data set."""
    by_single_year = _population(figures)

    def cell(area: str, date: str, options: Sequence[str]) -> Cell:
        sex, age = options
        return by_single_year.cell(area, date, ["0", {"0": "200", "22": "203"}[age]]) if sex == "7" else MISSING

    return replace(
        by_single_year,
        name="population estimates - local authority based by five year age band",
        dimensions={
            "sex": {"5": "Male", "6": "Female", "7": "Total"},
            "age": {"0": "All ages", "22": "Aged 16-64"},
        },
        cell=cell,
    )


def _household_deprivation(figures: Figures) -> Dataset:
    """No real figure of it is at hand."""
    employed = _els(figures, "employment-rate")
    shares = {"1": 0.6, "2": 0.4, "3": 0.2, "4": 0.05, "5": 0.01}
    return Dataset(
        name="TS011 - Households by deprivation dimensions",
        last_updated="2022-11-29 09:30:00",
        dimensions={
            "c2021_dep_6": {
                "0": "Total: All households",
                "1": "Household is not deprived in any dimension",
                "2": "Household is deprived in one dimension",
                "3": "Household is deprived in two dimensions",
                "4": "Household is deprived in three dimensions",
                "5": "Household is deprived in four dimensions",
            }
        },
        measures={"20100": "value", "20301": "percent"},
        dates={"2021": "2021"},
        cell=_by_option({(option,): _scaled(employed, share, 1) for option, share in shares.items()}),
    )


def _households(figures: Figures) -> Dataset:
    """No real figure or definition of it is at hand: its codes and names are the stand-in's own."""
    areas = _els(figures, "claimant-count")
    spans = [(year, 12) for year in range(2004, 2026)]
    workless: Series = {
        ("0", "1"): {key: Cell(60_000.0) for key in areas},
        ("3", "1"): _scaled(areas, 2_000, 0),
    }
    return Dataset(
        name="annual population survey - households by combined economic activity status",
        last_updated="2026-07-21 09:30:00",
        dimensions={
            "combined_ea_status": {
                "0": "All households",
                "1": "Working households",
                "2": "Mixed households",
                "3": "Workless households ",
            },
            "households_children": {"1": "Number of households", "2": "Number of children"},
        },
        measures={"20100": "Value"},
        dates={f"{year}-{month:02d}": _year_to(year, month) for year, month in spans},
        cell=_by_option(workless),
    )


DATASETS: Mapping[str, Callable[[Figures], Dataset]] = {
    "NM_17_5": _population_survey,
    "NM_30_1": _residents_pay,
    "NM_99_1": _workplace_pay,
    "NM_162_1": _claimants,
    "NM_127_1": _modelled_unemployment,
    "NM_57_1": _jobs_density,
    "NM_136_1": _households,
    "NM_2002_1": _population,
    "NM_31_1": _population_by_band,
    "NM_2031_1": _household_deprivation,
}


def dataset(dataset_id: str, figures: Figures) -> Dataset | None:
    """The data set of an upper-case id, made once of the same figures; None for one that is not spoken here."""
    return _made(dataset_id, figures.behind(dataset_id)) if dataset_id in DATASETS else None


@cache
def _made(dataset_id: str, figures: Figures) -> Dataset:
    made, edition = DATASETS[dataset_id](figures), figures.nomis_edition(dataset_id)
    if edition is None:
        return made
    dates = {code: name for code, name in made.dates.items() if code <= edition.until}
    return replace(made, last_updated=edition.last_updated, dates=dates)
