"""A slow, independent scoring of a framework: plain Python, one area, indicator and year at a time.

Written from METHODOLOGY sections 2 to 5, sharing no code with pipeline.scoring. Frameworks and figures are plain
dictionaries: ``figures[indicator][area][year] = value``, ``errors`` likewise.
"""

from __future__ import annotations

import math
from statistics import median, variance
from typing import Any

Figures = dict[str, dict[str, dict[int, float]]]
Scores = dict[tuple[str, str, int], float]  # (area, node, year) -> score


def positions(values: dict[str, dict[int, float]], is_log: bool, scored: set[str]) -> dict[str, dict[int, float]]:
    """Distance from the typical scored district, year by year."""
    out: dict[str, dict[int, float]] = {area: {} for area in values}
    for year in {year for series in values.values() for year in series}:
        held = [series[year] for area, series in values.items() if area in scored and year in series]
        if not held:
            continue
        typical = median(held)
        for area, series in values.items():
            if year in series:
                out[area][year] = math.log(series[year] / typical) if is_log else series[year] - typical
    return out


def slope(points: dict[int, float], year: int, window: int, least: int, carry: int) -> float | None:
    inside = [(y, points[y]) for y in range(year - window + 1, year + 1) if y in points]
    if len(inside) < least or inside[-1][0] < year - carry:
        return None
    mean_year = sum(y for y, _ in inside) / len(inside)
    mean_value = sum(v for _, v in inside) / len(inside)
    below = sum((y - mean_year) ** 2 for y, _ in inside)
    return sum((y - mean_year) * (v - mean_value) for y, v in inside) / below


def slope_variance(points: dict[int, float], errors: dict[int, float], year: int, window: int) -> float | None:
    """The error variance of one slope where errors of different years are independent; None where none is known."""
    years = [y for y in range(year - window + 1, year + 1) if y in points]
    mean_year = sum(years) / len(years)
    below = sum((y - mean_year) ** 2 for y in years)
    weights = {y: (y - mean_year) / below for y in years}
    if not any(y in errors and weights[y] != 0 for y in years):
        return None
    return sum((weights[y] * errors.get(y, 0.0)) ** 2 for y in years)


def base_values(
    by_area: dict[str, dict[int, float]], members: set[str], wanted: int, pooled: list[int] | None = None
) -> list[float]:
    """The values of the base year, or of the year that stands in for it; of all years from ``pooled``'s first to its last."""
    years = sorted({year for area in members for year in by_area.get(area, {})})
    counts = {year: sum(year in by_area.get(area, {}) for area in members) for year in years}
    if not counts:
        return []
    enough = [year for year in years if counts[year] * 2 >= max(counts.values())]
    if pooled and (inside := [year for year in enough if pooled[0] <= year <= pooled[1]]):
        return [by_area[area][year] for year in inside for area in members if year in by_area.get(area, {})]
    later = [year for year in enough if year >= wanted]
    year = later[0] if later else enough[-1]
    return [by_area[area][year] for area in members if year in by_area.get(area, {})]


def reliability(values: list[float], errors: list[float]) -> float | None:
    if len(values) < 3 or variance(values) == 0:
        return None
    return 1 - sum(e * e for e in errors) / len(errors) / variance(values)


class Reference:
    """Scores one framework (a dictionary in the YAML's form) on plain figures."""

    def __init__(
        self,
        framework: dict[str, Any],
        figures: Figures,
        errors: Figures,
        specs: dict[str, tuple[int, bool]],
        scored: set[str],
        nations: dict[str, str],
    ) -> None:
        self.framework, self.figures, self.errors, self.specs = framework, figures, errors, specs
        self.scored, self.nations = scored, nations
        self.areas = sorted(nations)
        self.years = sorted({y for k in figures.values() for series in k.values() for y in series})
        self.years = list(range(self.years[0], self.years[-1] + 1))

    def _positions(self, name: str, within_nation: bool) -> dict[str, dict[int, float]]:
        values = {area: self.figures.get(name, {}).get(area, {}) for area in self.areas}
        is_log = self.specs[name][1]
        if not within_nation:
            return positions(values, is_log, self.scored)
        out = {}
        for nation in set(self.nations.values()):
            inside = {area: values[area] for area in self.areas if self.nations[area] == nation}
            out.update(positions(inside, is_log, self.scored))
        return out

    def _relative_errors(self, name: str) -> dict[str, dict[int, float]]:
        is_log = self.specs[name][1]
        return {
            area: {
                y: e / self.figures[name][area][y] if is_log else e
                for y, e in self.errors.get(name, {}).get(area, {}).items()
                if y in self.figures.get(name, {}).get(area, {})
            }
            for area in self.areas
        }

    def leaf_positions(self, leaf: dict[str, Any], window: dict[str, int] | None) -> tuple[Any, Any, Any]:
        """(own positions, positions used, own errors) of one leaf: area -> year -> number."""
        name, within = leaf["id"], leaf.get("standardise_within") == "nation"
        carry = leaf.get("carry_forward_years", self.framework["missing"]["carry_forward_years"])
        if window is None:
            own = self._positions(name, within)
            used: dict[str, dict[int, float]] = {area: {} for area in self.areas}
            for area in self.areas:
                for year in self.years:
                    for back in range(carry + 1):
                        if year - back in own[area]:
                            used[area][year] = own[area][year - back]
                            break
            return own, used, self._relative_errors(name)
        own, variances = self._slopes(name, within, window, carry)
        own_errors = {
            area: {year: math.sqrt(v) for year in own[area] if (v := variances[area, year]) is not None}
            for area in self.areas
        }
        return own, own, own_errors

    def _slopes(
        self, part: str, within: bool, window: dict[str, int], carry: int
    ) -> tuple[dict[str, dict[int, float]], dict[tuple[str, int], float | None]]:
        """Slopes of one indicator, and the error variance of each."""
        points, errors = self._positions(part, within), self._relative_errors(part)
        mine: dict[str, dict[int, float]] = {area: {} for area in self.areas}
        variances: dict[tuple[str, int], float | None] = {}
        for area in self.areas:
            for year in self.years:
                value = slope(points[area], year, window["years"], window["min_points"], carry)
                if value is not None:
                    mine[area][year] = value
                    variances[area, year] = slope_variance(points[area], errors[area], year, window["years"])
        return mine, variances

    def run(self, flavour: str, window: dict[str, int] | None, first_year: int) -> tuple[Scores, dict[str, float]]:
        """Scores of every node, and the reliability each leaf's gate decided on (where it has one)."""
        leaf_scores: dict[str, dict[tuple[str, int], float]] = {}
        dropped: set[str] = set()
        reliabilities: dict[str, float] = {}
        for leaf in self._leaves(self.framework["tree"], flavour):
            own, used, errors = self.leaf_positions(leaf, window)
            polarity = leaf.get("polarity") or self.specs.get(leaf["id"], (1, False))[0]
            yearly = []
            for year in [y for y in self.years if y >= first_year]:
                both = [a for a in self.areas if a in self.scored and year in own[a] and year in errors[a]]
                value = reliability([own[a][year] for a in both], [errors[a][year] for a in both])
                if value is not None:
                    yearly.append(value)
            if yearly:
                reliabilities[leaf["id"]] = median(yearly)
                if reliabilities[leaf["id"]] < self.framework["gate"]["min_reliability"]:
                    dropped.add(leaf["id"])
            leaf_scores[leaf["id"]] = self._score_leaf(leaf, own, used, polarity, is_change=window is not None)
        scores: Scores = {}
        self._score_node(self.framework["tree"], flavour, leaf_scores, dropped, scores)
        for name, by_area in leaf_scores.items():
            if name not in dropped:
                scores.update({(area, name, year): value for (area, year), value in by_area.items()})
        return scores, reliabilities

    def _leaves(self, node: dict[str, Any], flavour: str) -> list[dict[str, Any]]:
        if flavour not in node.get("flavours", ["level", "change"]):
            return []
        here = [{"id": x} if isinstance(x, str) else x for x in node.get("indicators", [])]
        return here + [leaf for child in node.get("children", []) for leaf in self._leaves(child, flavour)]

    def _score_leaf(
        self, leaf: dict[str, Any], own: Any, used: Any, polarity: int, *, is_change: bool
    ) -> dict[tuple[str, int], float]:
        out: dict[tuple[str, int], float] = {}
        clip = self.framework["normalise"].get("clip", 3)
        groups = [set(self.areas)]
        if leaf.get("standardise_within") == "nation":
            groups = [{a for a in self.areas if self.nations[a] == n} for n in set(self.nations.values())]
        for group in groups:
            pooled = self.framework.get("change_base_years") if is_change else None
            base = base_values(own, group & self.scored, self.framework["base_year"], pooled)
            if not base:
                continue
            spread = 1.4826 * median([abs(v - median(base)) for v in base])
            for area in group:
                for year, value in used[area].items():
                    z = max(-clip, min(clip, polarity * value / spread))
                    out[area, year] = 50 + 50 * z / clip
        return out

    def _score_node(
        self,
        node: dict[str, Any],
        flavour: str,
        leaf_scores: dict[str, dict[tuple[str, int], float]],
        dropped: set[str],
        scores: Scores,
    ) -> bool:
        """Scores a node for all areas and years into ``scores``; False when the node has no members at all."""
        if flavour not in node.get("flavours", ["level", "change"]):
            return False
        leaves = [{"id": x} if isinstance(x, str) else x for x in node.get("indicators", [])]
        leaves = [leaf for leaf in leaves if leaf["id"] not in dropped]
        children = [
            child
            for child in node.get("children", [])
            if self._score_node(child, flavour, leaf_scores, dropped, scores)
        ]
        if not leaves and not children:
            return False
        rules = self.framework["missing"]
        for year in self.years:
            for area in self.areas:
                counted = [
                    child
                    for child in children
                    if not child.get("optional")
                    or (area, child["id"], year) in scores
                    or any(
                        (other, child["id"], year) in scores
                        for other in self.scored
                        if self.nations[other] == self.nations[area]
                    )
                ]
                own = [(x.get("weight", 1), leaf_scores[x["id"]].get((area, year))) for x in leaves]
                below = [(x.get("weight", 1), scores.get((area, x["id"], year))) for x in counted]
                enough = True
                for members, least in (
                    (own, rules["min_weight_in_pillar"]),
                    (below, rules["min_weight_in_domain"]),
                ):
                    total = sum(w for w, _ in members)
                    if total and sum(w for w, s in members if s is not None) / total < least - 1e-9:
                        enough = False
                held = [(w, s) for w, s in own + below if s is not None]
                if not enough or not held:
                    continue
                total = sum(w for w, _ in held)
                how = node.get("aggregate", "arithmetic")
                if how == "arithmetic":
                    result = sum(w * s for w, s in held) / total
                elif how == "geometric":
                    result = math.exp(sum(w * math.log(max(s, 1)) for w, s in held) / total)
                else:
                    result = total / sum(w / max(s, 1) for w, s in held)
                scores[area, node["id"], year] = result
        return True
