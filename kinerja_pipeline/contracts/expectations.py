"""A contract as a Great Expectations suite: native expectations where a rule has a native twin, and one of our own.

Here: Contract -> ExpectationSuite. Not here: what answers the expectations (contracts/engines), running them
(contracts/validation, which imports this module late: Great Expectations takes seconds to load).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import great_expectations.expectations as gxe
from great_expectations import ExpectationSuite
from great_expectations.core.metric_domain_types import MetricDomainTypes
from great_expectations.execution_engine import ExecutionEngine, PandasExecutionEngine
from great_expectations.expectations.expectation import BatchExpectation, Expectation, _mostly_success
from great_expectations.expectations.metrics.metric_provider import metric_value
from great_expectations.expectations.metrics.table_metric_provider import TableMetricProvider

from kinerja_pipeline.contracts.model import Contract, Rule, Severity
from kinerja_pipeline.contracts.validation import (
    ALL,
    KEY_REPEATED,
    PERIOD_OTHER,
    REGION_OTHER,
    ROW_UNREADABLE,
    delivered,
)
from kinerja_pipeline.contracts.words import labelled, words

RULE_METRIC = "contract.rule"

TWINS = {
    "missing": "column_values.nonnull",
    "pattern": "column_values.match_regex",
    "length": "column_values.value_length.between",
    "range": "column_values.between",
    "code": "column_values.in_set",
}
"""The families of rules that have a native twin, and the metric which that expectation asks for."""

TYPED = ("unreadable", "month_first")
"""Families that only text can break; a published frame has types."""


class ContractRule(TableMetricProvider):
    """How many rows break a rule, and of how many it was asked: (broken, asked).

    The engines of contracts/engines answer it; the registration lets Great Expectations know that it exists.
    """

    metric_name = RULE_METRIC
    value_keys = ("rule",)

    @metric_value(engine=PandasExecutionEngine)
    def _pandas(cls, **_: Any) -> tuple[int, int]:
        raise NotImplementedError(f"{RULE_METRIC} is answered by EvidenceEngine and RecountEngine")


class ExpectContractRuleToHold(BatchExpectation):
    """A rule without a native twin, in the contract's own words: row conditions, references, months, conflicts."""

    rule: str
    mostly: float = 1.0

    domain_type: ClassVar[MetricDomainTypes] = MetricDomainTypes.TABLE
    metric_dependencies = (RULE_METRIC,)
    success_keys = ("rule", "mostly")
    args_keys = ("rule", "mostly")

    def _validate(
        self,
        metrics: dict[str, Any],
        runtime_configuration: dict[str, Any] | None = None,
        execution_engine: ExecutionEngine[Any] | None = None,
    ) -> dict[str, Any]:
        broken, asked = metrics[RULE_METRIC]
        result = {
            "element_count": asked,
            "unexpected_count": broken,
            "unexpected_percent": 100 * broken / asked if asked else None,
        }
        return {"success": asked == 0 or _mostly_success(asked, broken, self.mostly), "result": result}


def suite_of(contract: Contract) -> ExpectationSuite:
    """The contract's rules as a suite; an expectation's meta holds the rule's name and its words,
    in both languages.

    `mostly` is what the tolerance of the rule, or else of the contract, leaves of the values that are present. An
    incoming suite closes with two questions about a feed as a whole, an outgoing one with those about a publication.
    """
    return ExpectationSuite(name=f"{contract.name} {contract.version}", expectations=list(_expectations(contract)))


def result_format(with_examples: bool) -> dict[str, Any]:
    """How much a result says. Every format above BOOLEAN_ONLY copies values of rows unless it is told not to."""
    return {"result_format": "BASIC", "partial_unexpected_count": 1, "exclude_unexpected_values": not with_examples}


def _expectations(contract: Contract) -> Iterator[Expectation]:
    is_incoming = contract.direction == "incoming"
    for rule in contract.rules:
        if is_incoming or rule.what not in TYPED:
            yield _expectation(rule, contract)
    if is_incoming:
        yield _custom(ROW_UNREADABLE, "the reader must be able to take every row apart", contract)
        yield _custom(ALL, "rejected rows must stay within the contract's tolerance", contract)
        return
    key = list(contract.key)
    text = f"a key ({', '.join(key)}) names one row"
    said: dict[str, Any] = _said(KEY_REPEATED, text, labelled(KEY_REPEATED, text), "error")
    if len(key) == 1:
        yield gxe.ExpectColumnValuesToBeUnique(column=key[0], **said)
    else:
        yield gxe.ExpectCompoundColumnsToBeUnique(column_list=key, ignore_row_if="never", **said)
    yield _custom(REGION_OTHER, "a publication is of one region", contract)
    if "period" in contract.names:
        yield _custom(PERIOD_OTHER, "a publication is of one month and the periods that contain it", contract)


def _expectation(rule: Rule, contract: Contract) -> Expectation:
    column = contract.column(rule.columns[0])
    said: dict[str, Any] = {
        "mostly": _mostly(contract.tolerance_of(rule)),
        **_said(rule.name, rule.description, words(rule.name, contract, "id"), rule.severity),
    }
    match rule.what:
        case "missing":
            name = delivered(column) if contract.direction == "incoming" else column.name
            return gxe.ExpectColumnValuesToNotBeNull(column=name, **said)
        case "pattern":
            return gxe.ExpectColumnValuesToMatchRegex(column=column.name, regex=column.pattern or "", **said)
        case "length":
            low, high = column.min_length, column.max_length
            return gxe.ExpectColumnValueLengthsToBeBetween(column=column.name, min_value=low, max_value=high, **said)
        case "range":
            low_value, high_value = column.minimum, column.maximum
            return gxe.ExpectColumnValuesToBeBetween(
                column=column.name, min_value=low_value, max_value=high_value, **said
            )
        case "code":
            return gxe.ExpectColumnValuesToBeInSet(column=column.name, value_set=list(column.codes), **said)
        case _:
            return ExpectContractRuleToHold(rule=rule.name, **said)


def _custom(name: str, text: str, contract: Contract) -> Expectation:
    said = _said(name, text, labelled(name, text), "error")
    return ExpectContractRuleToHold(rule=name, mostly=_mostly(contract.tolerance_share), **said)


def _mostly(tolerance_share: float) -> float:
    # 1 - 0.05 is 0.95 only after rounding; a share exactly at the tolerance is within it.
    return round(1 - tolerance_share, 12)


def _said(rule: str, english: str, indonesian: str, severity: Severity) -> dict[str, Any]:
    meta = {"rule": rule, "words": english, "words_id": indonesian, "severity": severity}
    return {"severity": "critical" if severity == "error" else "warning", "meta": meta}
