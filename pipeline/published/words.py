"""Numbers, names and lists in British English: the only place where a figure becomes text."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final

MINUS: Final = "−"
NO_FIGURE: Final = "no figure"

_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_SMALL: Final = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
# How each unit of the catalogue is written around a number: before it, after it.
_UNITS: Final = {
    "GBP": ("£", ""),
    "GBP per hour": ("£", " an hour"),
    "GBP per job": ("£", " a job"),
    "GBP per week": ("£", " a week"),
    "GBP per year": ("£", " a year"),
    "per cent": ("", "%"),
    "percentage points": ("", " percentage points"),
    "years": ("", " years"),
    "years of earnings": ("", " times yearly earnings"),
    "jobs per resident": ("", " jobs a resident"),
    "persons": ("", " people"),
}
_AXES: Final = {
    "GBP": "£",
    "GBP per hour": "£ an hour",
    "GBP per job": "£ a job",
    "GBP per week": "£ a week",
    "GBP per year": "£ a year",
    "years of earnings": "Times yearly earnings",
    "persons": "People",
}
_KINDS: Final = {
    "district": "district",
    "county": "county",
    "combined_authority": "combined authority",
    "region": "region",
    "nation": "nation",
    "country": "country",
    "group": "group of places",
}
_WITH_ARTICLE: Final = {
    "North East", "North West", "East Midlands", "West Midlands", "East of England", "South East", "South West",
    "United Kingdom", "London boroughs", "Core Cities", "West of England", "West Midlands city region",
    "Greater Manchester city region", "Inclusive Growth Network (founder members)",
    "Mayoral areas of the North of England", "City of London", "City of Edinburgh", "East Riding of Yorkshire",
    "Forest of Dean", "New Forest", "Isle of Anglesey", "Isle of Wight", "Vale of Glamorgan", "Vale of White Horse",
}  # fmt: skip
# Wider areas that share a name with another area also carry their kind.
_KINDS_WITH_ARTICLE: Final = (" combined authority", " region", " group of places")
_SAID_BEHIND: Final = (", City of", ", County of")


def number(value: float, decimals: int = 0) -> str:
    """`1,234.5`; a true minus sign; never a negative zero."""
    text = f"{abs(value):,.{decimals}f}"
    is_zero = not text.strip("0.,")
    return text if value >= 0 or is_zero else MINUS + text


def amount(value: float | None, unit: str, decimals: int = 0) -> str:
    """A figure with its unit as people write it: `£38.2 an hour`, `74.1%`, `5.43 times yearly earnings`."""
    if value is None:
        return NO_FIGURE
    decimals = shown_decimals(unit, decimals)
    before, after = _UNITS.get(unit, ("", ""))
    if unit == "persons" and round(value, decimals) == 1:
        after = " person"
    sign, digits = (MINUS, number(-value, decimals)) if value < 0 else ("", number(value, decimals))
    return f"{sign}{before}{digits}{after}"


def bare_amount(value: float | None, unit: str, decimals: int = 0) -> str:
    """A figure with the short units only, for tables and intervals: the pound or the percent sign."""
    if value is None:
        return NO_FIGURE
    decimals = shown_decimals(unit, decimals)
    before, after = _UNITS.get(unit, ("", ""))
    sign = MINUS if value < 0 and number(value, decimals).startswith(MINUS) else ""
    return f"{sign}{before}{number(abs(value), decimals)}{after if after == '%' else ''}"


def shown_decimals(unit: str, decimals: int) -> int:
    """Decimals to print: pounds have two decimals or none, never one."""
    return 2 if unit.startswith("GBP") and decimals == 1 else decimals


def axis_title(unit: str) -> str:
    """The unit as the title of an axis."""
    return _AXES.get(unit, unit[:1].upper() + unit[1:])


def interval(lower: float, upper: float, unit: str, decimals: int = 0) -> str:
    """`£36.10 to £40.30`."""
    return f"{bare_amount(lower, unit, decimals)} to {bare_amount(upper, unit, decimals)}"


def count(n: int, one: str, many: str | None = None) -> str:
    """`1 district`, `2 districts`, `1,204 districts`, `no districts`."""
    noun = one if n == 1 else (many or plural(one))
    return f"{number(n) if n else 'no'} {noun}"


def counted(n: int, one: str, many: str | None = None) -> str:
    """As `count`, with numbers up to ten in words: `four districts`."""
    noun = one if n == 1 else (many or plural(one))
    return f"{_SMALL[n] if 0 <= n < len(_SMALL) else number(n)} {noun}"


def plural(noun: str) -> str:
    """The regular English plural (districts, authorities). Irregular plurals are passed in by the caller."""
    if noun.endswith("y") and noun[-2:-1] not in "aeiou":
        return noun[:-1] + "ies"
    return noun + ("es" if noun.endswith(("s", "x", "ch", "sh")) else "s")


def ordinal(n: int) -> str:
    """`1st`, `2nd`, `11th`, `121st`."""
    ending = "th" if n % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th")
    return f"{n:,}{ending}"


def probability(p: float) -> str:
    """A probability in per cent, never more precise than the draws allow: `82%`, `more than 99%`, `less than 1%`."""
    if p > 0.99:
        return "more than 99%"
    if p < 0.01:
        return "less than 1%"
    return f"{round(100 * p)}%"


def listing(items: Sequence[str], last: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`; with a comma before the last if an item itself contains the joining word."""
    if len(items) < 2:
        return "".join(items)
    pause = "," if any(f" {last} " in item for item in items) else ""
    return f"{', '.join(items[:-1])}{pause} {last} {items[-1]}"


def day(when: date) -> str:
    """`23 November 2026`."""
    return f"{when.day} {_MONTHS[when.month - 1]} {when.year}"


def age(days: int) -> str:
    """An age, as precise as matters: `3 days`, `5 weeks`, `8 months`, `2 years`."""
    if days < 14:
        return count(days, "day") if days else "under a day"
    if days < 60:
        return count(days // 7, "week")
    if days < 730:
        return count(round(days / 30.44), "month")
    return count(days // 365, "year")


def spoken(name: str) -> str:
    """A name as it is said in a sentence: `Bristol` for `Bristol, City of`, `the North West`, `the Isle of Wight`."""
    for ending in _SAID_BEHIND:
        name = name.removesuffix(ending)
    return f"the {name}" if name in _WITH_ARTICLE or name.endswith(_KINDS_WITH_ARTICLE) else name


def possessive(name: str) -> str:
    """`Preston’s`, `St Helens’`."""
    said = spoken(name)
    return said + ("’" if said.endswith("s") else "’s")


def kind(level: str) -> str:
    """What an area is called: `combined authority`."""
    return _KINDS.get(level, level.replace("_", " "))


def article(noun: str) -> str:
    return "an" if noun[:1].lower() in "aeiou" else "a"


def capital(text: str) -> str:
    """The text with its first letter in upper case."""
    return text[:1].upper() + text[1:]


def small(text: str) -> str:
    """A title within a sentence: first letter in lower case, unless the word is an abbreviation or a name."""
    first = text.split(" ", 1)[0]
    return text if first.isupper() or first in _PROPER else text[:1].lower() + text[1:]


_PROPER: Final = {"Level", "Index"}
