"""Framework files: the shipped ones load, and a bad one says file, line, node and field."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.catalogue import CatalogueError
from pipeline.catalogue.frameworks import DEFAULT_FRAMEWORKS, load_framework, parse_framework
from pipeline.catalogue.load import CATALOGUE_DIR

KNOWN = {"pay", "output", "claimants"}


def write(folder: Path, text: str) -> Path:
    path = folder / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def refused(folder: Path, text: str) -> str:
    with pytest.raises(CatalogueError) as error:
        load_framework(write(folder, text), KNOWN)
    return str(error.value)


@pytest.mark.parametrize("name", DEFAULT_FRAMEWORKS)
def test_the_shipped_frameworks_load_and_name_only_known_or_awaited_indicators(name):
    known = None
    if (CATALOGUE_DIR / "indicators.yaml").is_file():
        from pipeline.catalogue import load_catalogue

        known = load_catalogue().indicators
    framework = load_framework(name, known)
    assert framework.id == name
    assert framework.not_covered
    assert framework.labels is not None


def test_the_default_framework_is_the_one_of_the_specification():
    framework = load_framework("shared_growth")
    found = {node.id: [ref.candidates for ref in node.indicators] for node, _, _ in framework.nodes()}
    assert list(found) == [
        "index", "growth", "productivity", "household_income", "pay", "jobs",
        "sharing", "pay_spread", "participation", "poverty_and_cost", "place",
    ]  # fmt: skip
    assert found["participation"] == [("employment_rate",), ("unemployment_rate_modelled",), ("claimant_rate",)]
    assert found["pay_spread"][0] == ("pay_p20_to_p50_hourly", "pay_p20_to_p50_annual")
    assert framework.base_year == 2019
    assert [(w.years, w.min_points) for w in framework.windows] == [(10, 5), (5, 4)]
    rules = framework.missing
    assert (rules.min_weight_in_pillar, rules.min_weight_in_domain, rules.carry_forward_years) == (0.5, 0.6, 2)
    assert {node.id for node, _, _ in framework.nodes() if node.optional} == {"jobs", "pay_spread", "place"}
    assert {node.id: node.flavours for node, _, _ in framework.nodes()}["place"] == ("level",)


def test_no_sharing_score_contains_output():
    for name in DEFAULT_FRAMEWORKS:
        framework = load_framework(name)
        assert framework.labels is not None
        below = next(node for node, _, _ in framework.nodes() if node.id == framework.labels.sharing)
        nodes = [below, *below.children]
        held = {name for node in nodes for reference in node.indicators for name in reference.candidates}
        assert held
        assert not {name for name in held if name.startswith("gva_")}


def test_the_example_of_the_specification_loads_as_printed(tmp_path):
    text = """
id: my_index
normalise: {method: min_max, range: [0, 100]}   # robust_z (clip, to 0-100) | z | min_max | goalposts | rank | percentile
missing: {min_weight_in_pillar: 0.5, min_weight_in_domain: 0.6}
tree:
  id: index
  aggregate: arithmetic                          # arithmetic | geometric | harmonic, per node; weight 1 unless given
  children:
    - id: output
      weight: 2
      indicators:
        - {id: gva_per_hour, weight: 1, polarity: 1}
        - {id: claimant_rate, weight: 1, polarity: -1, goalposts: [0, 12]}   # goalposts only with that method
    - {id: skills, indicators: [{id: no_qualifications, polarity: -1}]}
"""
    framework = load_framework(write(tmp_path, text))
    assert framework.indicator_ids() == ("gva_per_hour", "claimant_rate", "no_qualifications")


def test_a_cycle_is_named(tmp_path):
    text = "id: x\ntree: &top\n  id: index\n  children:\n    - id: a\n      children: [*top]\n"
    assert refused(tmp_path, text) == "mine.yaml:2: node 'index', (whole node): the node is its own ancestor (a cycle)"
    text = "id: x\ntree:\n  id: index\n  children:\n    - {id: index, indicators: [pay]}\n"
    assert "its own ancestor" in refused(tmp_path, text)


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        (
            "{id: index, indicators: [wages]}",
            "mine.yaml:2: node 'index', field 'indicators.0': unknown indicator 'wages'",
        ),
        (
            "{id: index, indicators: [{id: pay, weight: 0}]}",
            "field 'indicators.0.weight': Input should be greater than 0",
        ),
        ("{id: index, indicators: [{id: pay, weight: -1}]}", "Input should be greater than 0"),
        ("{id: index, indicators: [{id: pay, weight: .inf}]}", "finite"),
        ("{id: index, weight: 0, indicators: [pay]}", "node 'index', field 'weight'"),
        ("{id: index}", "node 'index', (whole node): the node is empty"),
        (
            "{id: index, children: [{id: a, indicators: [pay]}, {id: a, indicators: [output]}]}",
            "the id 'a' is used by another node too",
        ),
        ("{id: index, indicators: [pay, pay]}", "indicator 'pay' is used twice"),
        ("{id: pay, indicators: [pay]}", "indicator 'pay' has the id of a node"),
        ("{id: index, aggregate: median, indicators: [pay]}", "'arithmetic', 'geometric' or 'harmonic'"),
        ("{id: index, indicators: [{id: pay, goalposts: [5, 1]}]}", "goalposts must be low then high"),
        ("{id: index, indicators: [{first_of: [pay], id: output}]}", "give either id or first_of"),
        ("{id: index, indicators: [pay], colour: red}", "node 'index', field 'colour': Extra inputs are not permitted"),
    ],
)
def test_a_bad_tree_is_refused_with_line_node_and_field(tmp_path, tree, message):
    assert message in refused(tmp_path, f"id: x\ntree: {tree}\n")


@pytest.mark.parametrize(
    ("normalise", "message"),
    [
        ("{method: best}", "mine.yaml:2: field 'normalise.method'"),
        ("{method: goalposts}", "indicator 'pay' needs goalposts: [low, high] for the goalposts method"),
        ("{method: z}", "a geometric mean needs scores that are never negative"),
        ("{method: min_max, range: [10, 0]}", "range must be two finite numbers, the lower first"),
    ],
)
def test_a_bad_method_is_refused(tmp_path, normalise, message):
    text = f"id: x\nnormalise: {normalise}\ntree: {{id: index, aggregate: geometric, indicators: [pay]}}\n"
    assert message in refused(tmp_path, text)


def test_every_problem_is_listed_at_once(tmp_path):
    text = "id: x\ntree:\n  id: index\n  children:\n    - {id: a}\n    - {id: b, indicators: [wages]}\n"
    lines = refused(tmp_path, text).splitlines()
    assert [line.split(":")[1] for line in lines] == ["5", "6"]


def test_files_that_are_no_framework_are_refused(tmp_path):
    assert "expected a framework" in refused(tmp_path, "- a\n- b\n")
    assert "expected a framework" in refused(tmp_path, "id: x\n")
    with pytest.raises(CatalogueError, match=r"there is no framework file 'nowhere\.yaml'"):
        load_framework("nowhere.yaml")


def test_labels_must_name_what_is_there():
    tree = {"id": "index", "indicators": ["pay"]}
    with pytest.raises(CatalogueError, match="there is no node 'growth'"):
        parse_framework({"id": "x", "tree": tree, "labels": {"growth": "growth", "sharing": "index"}})


def test_a_framework_that_still_scores_pass_through_is_told_where_to_look(tmp_path):
    told = refused(
        tmp_path,
        "id: x\npass_through:\n  - {id: p, outcome: [pay], output: output}\ntree: {id: index, indicators: [pay, p]}\n",
    )
    assert told.startswith("mine.yaml:3: field 'pass_through': ")
    assert "mart_pass_through" in told
