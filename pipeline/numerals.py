"""Numbers for sentences in reports, messages and gates: rounded for people, and never with an exponent."""

from __future__ import annotations

import math
from typing import Final

_MOST_DECIMALS: Final = 9
_MOST_TIMES: Final = 1000


def rounded(value: float, digits: int = 6, *, is_grouped: bool = True) -> str:
    """At most ``digits`` significant digits and no needless zeros: `1,234,568`, `43.1235`, `0.0012`; `none` for NaN.

    Digits before the point are never dropped. ``is_grouped`` adds thousands separators.
    """
    if math.isnan(value):
        return "none"
    if math.isinf(value):
        return "endless" if value > 0 else "-endless"
    size = math.floor(math.log10(abs(value))) if value else 0
    decimals = min(max(digits - 1 - size, 0), _MOST_DECIMALS)
    text = f"{value:{',' if is_grouped else ''}.{decimals}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def signed(value: float, digits: int = 6) -> str:
    """As `rounded`, with the sign: `+1.2`, `-40`."""
    return ("+" if value >= 0 else "") + rounded(value, digits)


def points(distance: float) -> str:
    """A distance between scores in everyday form: `less than 0.1 points`, `2.4 points`, `38 points`."""
    if distance < 0.1:
        return "less than 0.1 points"
    return f"{distance:,.0f} points" if distance >= 10 else f"{distance:.1f} points"


def times(multiple: float) -> str:
    """A multiple: `1.5 times`, `38 times`; `more than 1,000 times` where more digits would add nothing."""
    if not multiple <= _MOST_TIMES:
        return f"more than {_MOST_TIMES:,} times"
    return f"{multiple:.0f} times" if multiple >= 10 else f"{multiple:.1f} times"


def share(part: float, whole: float) -> str:
    """A share in per cent: `12%`, `less than 1%`."""
    if part and part < 0.005 * whole:
        return "less than 1%"
    return f"{part / whole:.0%}" if whole else "0%"
