"""Two engines that answer a contract's expectations: one from counts that were made already, one from the rows.

Here: metric -> number. Not here: which expectations there are (contracts/expectations), what becomes of the answers
(contracts/validation). Both subclass the pandas engine, so that Great Expectations finds a provider for every metric
and can build its graph; none of those providers runs, for `resolve_metrics` is ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import polars as pl
from great_expectations.core.batch import BatchData
from great_expectations.exceptions import MetricResolutionError
from great_expectations.execution_engine import ExecutionEngine, PandasExecutionEngine
from great_expectations.validator.metric_configuration import MetricConfiguration
from polars.exceptions import PolarsError

from kinerja_pipeline.contracts.expectations import RULE_METRIC, TWINS
from kinerja_pipeline.contracts.model import Contract
from kinerja_pipeline.contracts.validation import Counts, Rows, delivered

BATCH = "rows"
Answers = dict[Any, Any]


class _Batch(BatchData):
    """What an engine answers from: Counts or Rows, and the contract that they are of."""

    def __init__(self, engine: ExecutionEngine[Any], contract: Contract, content: Counts | Rows) -> None:
        super().__init__(execution_engine=engine)
        self.contract = contract
        self.content = content


class ContractEngine(PandasExecutionEngine):
    """One batch, and the metrics that are only steps of Great Expectations' own graph."""

    def __init__(self, contract: Contract, content: Counts | Rows) -> None:
        super().__init__()
        self.load_batch_data(BATCH, _Batch(self, contract, content))

    def load_batch_data(self, batch_id: str, batch_data: Any) -> None:
        # The pandas engine would wrap it as a data frame.
        ExecutionEngine.load_batch_data(self, batch_id=batch_id, batch_data=batch_data)

    @property
    def batch(self) -> _Batch:
        batch = self.batch_manager.active_batch_data
        assert isinstance(batch, _Batch)
        return batch

    def resolve_metrics(
        self,
        metrics_to_resolve: Iterable[MetricConfiguration],
        metrics: dict[Any, Any] | None = None,
        runtime_configuration: dict[str, Any] | None = None,
    ) -> Answers:
        raise NotImplementedError


class EvidenceEngine(ContractEngine):
    """Answers from the counts that the split made, so that no row is read twice."""

    def resolve_metrics(
        self,
        metrics_to_resolve: Iterable[MetricConfiguration],
        metrics: dict[Any, Any] | None = None,
        runtime_configuration: dict[str, Any] | None = None,
    ) -> Answers:
        counts, contract = self.batch.content, self.batch.contract
        assert isinstance(counts, Counts)
        rules = {}
        for rule in contract.rules:
            column = contract.column(rule.columns[0])
            rules[TWINS.get(rule.what), delivered(column) if rule.what == "missing" else column.name] = rule.name
        answers: Answers = {}
        for metric in metrics_to_resolve:
            name, column_name = metric.metric_name, str(metric.metric_domain_kwargs.get("column"))
            twin, _, part = name.rpartition(".")
            if name == "table.row_count":
                answers[metric.id] = counts.rows
            elif name == RULE_METRIC:
                answers[metric.id] = counts.of(metric.metric_value_kwargs["rule"])
            elif part != "unexpected_count":
                answers[metric.id] = _step(name, part, contract)
            elif (twin, column_name) in rules:
                answers[metric.id] = counts.failed.get(rules[twin, column_name], 0)
            elif twin == TWINS["missing"] and column_name in counts.nulls:
                answers[metric.id] = counts.nulls[column_name]
            else:
                raise MetricResolutionError(f"nobody counted {name} of {column_name}", failed_metrics=(metric,))
        return answers


class RecountEngine(ContractEngine):
    """Counts the rows themselves, all metrics that it is asked for in one Polars pass."""

    def resolve_metrics(
        self,
        metrics_to_resolve: Iterable[MetricConfiguration],
        metrics: dict[Any, Any] | None = None,
        runtime_configuration: dict[str, Any] | None = None,
    ) -> Answers:
        rows, contract = self.batch.content, self.batch.contract
        assert isinstance(rows, Rows)
        answers: Answers = {}
        asked: list[tuple[MetricConfiguration, pl.Expr]] = []
        for metric in metrics_to_resolve:
            twin, _, part = metric.metric_name.rpartition(".")
            rule = str(metric.metric_value_kwargs.get("rule"))
            if metric.metric_name == "table.row_count" or part == "filtered_row_count":
                answers[metric.id] = len(rows.frame)
            elif rule in rows.counted:
                answers[metric.id] = rows.counted[rule]
            elif metric.metric_name == RULE_METRIC:
                asked.append((metric, pl.struct(_count(rows.fails[rule]), pl.len())))
            elif part == "unexpected_count":
                asked.append((metric, _count(_broken(twin, metric))))
            elif part == "unexpected_values" and _may_be_shown(metric, contract):
                value = pl.col(metric.metric_domain_kwargs["column"])
                asked.append((metric, value.filter(_broken(twin, metric)).drop_nulls().head(1).implode()))
            else:
                answers[metric.id] = _step(metric.metric_name, part, contract)
        for (metric, _), answer in zip(asked, _one_pass(rows.frame, asked), strict=True):
            is_rule = metric.metric_name == RULE_METRIC
            answers[metric.id] = tuple(answer.values()) if is_rule else answer
        return answers


def _step(name: str, part: str, contract: Contract) -> Any:
    """What other metrics are built from in Great Expectations' graph, and values that nobody is to see."""
    if name == "table.columns":
        return list(contract.names)
    if name == "table.column_types":
        return [{"name": c.name, "type": c.kind} for c in contract.columns]
    return [] if part == "unexpected_values" else (None, {}, {})


def _may_be_shown(metric: MetricConfiguration, contract: Contract) -> bool:
    column = metric.metric_domain_kwargs.get("column")
    return column in contract.names and not contract.column(str(column)).is_personal


def _count(broken: pl.Expr) -> pl.Expr:
    # A null condition is no failure; one that is no condition at all must not be summed as a number.
    return pl.when(broken).then(1).otherwise(0).sum().cast(pl.Int64)


def _broken(twin: str, metric: MetricConfiguration) -> pl.Expr:
    """True where a value is not what a native expectation asks; null where there is no value."""
    domain, wanted = metric.metric_domain_kwargs, metric.metric_value_kwargs
    if twin == "compound_columns.unique":
        return pl.struct(domain["column_list"]).is_duplicated()
    value = pl.col(domain["column"])
    match twin:
        case "column_values.nonnull":
            return value.is_null()
        case "column_values.unique":
            return value.is_not_null() & value.is_duplicated()
        case "column_values.match_regex":
            return ~value.str.contains(wanted["regex"])
        case "column_values.value_length.between":
            return _outside(value.str.len_chars(), wanted)
        case "column_values.between":
            return _outside(value, wanted)
        case "column_values.in_set":
            return ~value.is_in(list(wanted["value_set"]))
        case _:
            raise MetricResolutionError(f"{twin} is not counted here yet", failed_metrics=(metric,))


def _outside(value: pl.Expr, wanted: Mapping[str, Any]) -> pl.Expr:
    low, high = wanted.get("min_value"), wanted.get("max_value")
    too_low = value < low if low is not None else pl.lit(False)
    return too_low | (value > high if high is not None else pl.lit(False))


def _one_pass(frame: pl.DataFrame, asked: list[tuple[MetricConfiguration, pl.Expr]]) -> tuple[Any, ...]:
    try:
        return frame.select(e.alias(str(i)) for i, (_, e) in enumerate(asked)).row(0) if asked else ()
    except PolarsError as error:
        # One condition that cannot be evaluated takes all down: name it, so that the others can still be judged.
        for metric, expression in asked:
            try:
                frame.select(expression)
            except PolarsError as culprit:
                raise MetricResolutionError(_first_line(culprit), failed_metrics=(metric,)) from culprit
        raise MetricResolutionError(_first_line(error), failed_metrics=[m for m, _ in asked]) from error


def _first_line(error: PolarsError) -> str:
    return str(error).splitlines()[0]
