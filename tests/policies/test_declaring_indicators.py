"""Indicators are declared as expressions of one row; what could not run is refused with the nearest right word."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from kinerja_pipeline.contracts.model import load_contracts
from kinerja_pipeline.policies.indicators import compiled, fact_columns
from kinerja_pipeline.policies.loader import PolicyError, load_policies
from kinerja_pipeline.policies.model import Indicator, Policy

CONTRACTS = load_contracts()
PACKAGED = load_policies()
DONE: dict[str, Any] = {
    "labels": {"id": "Selesai", "en": "Done"},
    "fact": "task_outcome",
    "filter": "is_due",
    "numerator": "CASE WHEN is_on_time THEN 1 ELSE 0 END",
    "denominator": "1",
    "subjects": ["unit"],
    "aspect": "time",
    "unit": "tasks",
    "direction": "higher",
    "target": {"value": 85},
}


def declare(**changes: Any) -> Policy:
    """The packaged policy of Salor with one indicator of ours."""
    indicator = Indicator.model_validate({**DONE, **changes})
    return PACKAGED["salor"].model_copy(update={"indicators": {"done": indicator}})


def refusal(**changes: Any) -> str:
    with pytest.raises(PolicyError) as caught:
        compiled(declare(**changes), CONTRACTS)
    return str(caught.value)


@pytest.mark.parametrize("region", sorted(PACKAGED))
def test_every_packaged_indicator_compiles(region: str) -> None:
    active = [name for name, i in PACKAGED[region].indicators.items() if i.is_active]
    assert [c.indicator_id for c in compiled(PACKAGED[region], CONTRACTS)] == active


@pytest.mark.parametrize("region", sorted(PACKAGED))
def test_every_packaged_expression_runs_on_its_fact_with_the_right_type(region: str) -> None:
    for indicator in compiled(PACKAGED[region], CONTRACTS):
        schema = fact_columns(CONTRACTS)[indicator.declared.fact]
        fact_rows = pl.DataFrame({name: [None, None] for name in schema}, schema=schema)
        wanted = [indicator.numerator, *([indicator.denominator] if indicator.denominator is not None else [])]
        assert fact_rows.filter(indicator.keep).height in (0, 2)
        for expression in wanted:
            value = fact_rows.select(pl.col(fact_rows.columns[0]).alias("_"), expression.alias("value"))["value"]
            assert value.dtype.is_numeric(), f"{indicator.indicator_id}: {value.dtype}"


def test_an_inactive_indicator_is_not_compiled() -> None:
    assert compiled(declare(is_active=False, numerator="no such thing ("), CONTRACTS) == ()


def test_a_filter_that_does_not_know_leaves_the_row_out() -> None:
    (indicator,) = compiled(declare(filter="quality_score > 80"), CONTRACTS)
    rows = pl.DataFrame({"quality_score": [81.0, None, 79.0]})
    assert rows.select(keep=indicator.keep)["keep"].to_list() == [True, False, False]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"fact": "task_outcom"}, "indicators.done.fact: there is no fact 'task_outcom'; did you mean 'task_outcome'?"),
        ({"filter": "is_du"}, "indicators.done.filter: no column 'is_du' in the fact; did you mean 'is_due'?"),
        (
            {"numerator": "quantity_dne"},
            "numerator: no column 'quantity_dne' in the fact; did you mean 'quantity_done'?",
        ),
        ({"denominator": "quantity_planed"}, "denominator: no column 'quantity_planed' in the fact; did you mean"),
        ({"filter": "is_workday"}, "filter: no column 'is_workday' in the fact"),
        ({"numerator": "SUM(quantity_done)"}, "must be a value of one row"),
        ({"numerator": "quantity_done / MAX(quantity_planned)"}, "must be a value of one row"),
        ({"numerator": "COUNT(*)"}, "must be a value of one row"),
        ({"numerator": "FIRST(quantity_done)"}, "must be a value of one row"),
        ({"numerator": "(SELECT 1)"}, "must be a value of one row"),
        ({"numerator": "SELECT quantity_done FROM task_outcome"}, "must be a value of one row"),
        ({"filter": "task_id IN (SELECT task_id FROM other)"}, "must be a value of one row"),
        ({"filter": "EXISTS (SELECT 1)"}, "must be a value of one row"),
        ({"numerator": "ROW_NUMBER() OVER (ORDER BY opened_at)"}, "must be a value of one row"),
        ({"numerator": "*"}, "must be a value of one row"),
        ({"numerator": "quantity_done AS x"}, "must be a value of one row"),
        ({"numerator": "1; DROP TABLE kpi"}, "done.numerator"),
        ({"numerator": "QUANTILE_CONT(quantity_done, 0.5)"}, "QUANTILE_CONT(quantity_done, 0.5) is not offered"),
        ({"numerator": "COVAR(quantity_done, quantity_done)"}, "is not offered; there are CASE, IF, COALESCE"),
        ({"numerator": "READ_CSV('/etc/passwd')"}, "READ_CSV('/etc/passwd') is not offered"),
        ({"numerator": "COLUMNS('^.*$')"}, "is not offered"),
        ({"numerator": "quantity_done +"}, "is not an SQL expression"),
        ({"numerator": "quantity_done, 1"}, "is not an SQL expression"),
        ({"numerator": " + ".join(["quantity_done"] * 40)}, "longer than 500 characters; name a column for it instead"),
        ({"filter": "x" * 501}, "longer than 500 characters"),
    ],
)
def test_a_declaration_that_could_not_run_is_refused(changes: dict[str, Any], says: str) -> None:
    message = refusal(**changes)
    assert message.startswith("policy salor: indicators.done")
    assert says in message


@pytest.mark.parametrize(
    ("numerator", "value"),
    [
        ("quantity_done", 6.0),
        ("quantity_done * 100 / quantity_planned", 75.0),
        ("COALESCE(quality_score, 0) + 1", 1.0),
        ("CASE WHEN task_type = 'complaint' AND NOT is_on_time THEN 1 ELSE 0 END", 1),
        ("CASE WHEN task_type IN ('complaint', 'routine') OR is_on_time IS NULL THEN 2 END", 2),
        ("GREATEST(quantity_done, quantity_planned)", 8.0),
        ("CASE WHEN quantity_done BETWEEN 5 AND 7 THEN 1 ELSE 0 END", 1),
        ("-quantity_done", -6.0),
        ("7 / 2", 3.5),
    ],
)
def test_what_a_declaration_may_say(numerator: str, value: float) -> None:
    (indicator,) = compiled(declare(numerator=numerator), CONTRACTS)
    row = pl.DataFrame(
        {
            "task_type": ["complaint"],
            "is_on_time": [False],
            "quantity_done": [6.0],
            "quantity_planned": [8.0],
            "quality_score": pl.Series([None], dtype=pl.Float64),
        }
    )
    assert row.select(value=indicator.numerator)["value"][0] == value
