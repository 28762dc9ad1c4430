"""Judging a table by its contract with Great Expectations: from counts that were made already, or from its rows.

Here: what is judged and what comes out, as plain values, and the run between them. Great Expectations is loaded when
something is judged and not before (seconds, a quarter gigabyte). Not here: suites (contracts/expectations), engines.

Suite, expectations, engines and results are Great Expectations' own; only its run is not. A checkpoint, a validation
definition and `Validator.graph_validate` build the graph of metrics anew each time: five milliseconds per expectation,
seconds per region and month. Here the metrics that a suite asks for are looked up once per process, the engine answers
them in one wave, and each expectation judges its own (`_validate`, the method that custom expectations define). A test
holds the results to those of `Validator.graph_validate`; benchmarks/judging.py has the figures.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, lru_cache
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl

from kinerja_pipeline.contracts.deferral import deferred
from kinerja_pipeline.contracts.model import Column, Contract, Severity

if TYPE_CHECKING:
    from great_expectations.core import ExpectationSuiteValidationResult, ExpectationValidationResult
    from great_expectations.expectations.expectation import Expectation
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration
    from great_expectations.validator.metric_configuration import MetricConfiguration

    from kinerja_pipeline.contracts.engines import ContractEngine

ROW_UNREADABLE, ALL = "row__unreadable", "all"
"""What is asked of an incoming feed as a whole; the tally calls its line of totals `all`, too."""
KEY_REPEATED, REGION_OTHER, PERIOD_OTHER = "key__repeated", "region__other", "period__other"
"""What is asked of every published table beside its contract's rules."""


def delivered(column: Column) -> str:
    """The column of a batch that holds a cell's text as delivered; a string's value is its text."""
    return column.name if column.kind == "string" else f"_delivered_{column.name}"


@dataclass(frozen=True, slots=True)
class Counts:
    """What the split counted in one feed and partition. `rows` are those the reader could take apart: only they are
    asked the contract's rules. `nulls` counts the values that are missing or unreadable, by column."""

    landed: int
    rejected: int
    rows: int
    failed: Mapping[str, int]
    nulls: Mapping[str, int]

    def of(self, rule: str) -> tuple[int, int]:
        """How many rows break a rule, and of how many it was asked."""
        if rule == ALL:
            return self.rejected, self.landed
        if rule == ROW_UNREADABLE:
            return self.landed - self.rows, self.landed
        return self.failed.get(rule, 0), self.rows


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows to count anew, and for rules without a native twin when a row fails; `counted` are (broken, asked) of rules
    that no row can answer alone."""

    frame: pl.DataFrame
    fails: Mapping[str, pl.Expr]
    counted: Mapping[str, tuple[int, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one rule. `asked` are the values that were there; `mostly` is the share of them that must be good.

    `example` is an offending value of a column that everybody may see; `problem` says why a rule could not be judged.
    """

    rule: str
    words: str
    severity: Severity
    is_met: bool
    asked: int
    broken: int
    mostly: float
    example: Any = None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """A table's outcomes, in the contract's order, and the Great Expectations result that they come from."""

    contract: Contract
    outcomes: tuple[Outcome, ...]
    result: ExpectationSuiteValidationResult
    configurations: tuple[Mapping[str, Any], ...]

    def of(self, rule: str) -> Outcome:
        return next(o for o in self.outcomes if o.rule == rule)

    def unmet(self, severity: Severity) -> list[Outcome]:
        return [o for o in self.outcomes if o.severity == severity and not o.is_met]

    def document(self) -> dict[str, Any]:
        """The result as Great Expectations writes it: counts and the contract's own words, no value of a row.

        Its own `to_json_dict` copies and converts every configuration each time, five times the work of judging; here
        they are those of the plan. A test holds this to it.
        """
        results = [
            {
                "success": result.success,
                "expectation_config": configuration,
                "result": _without_examples(result.result),
                "meta": {},
                "exception_info": dict(result.exception_info),
            }
            for result, configuration in zip(self.result.results, self.configurations, strict=True)
        ]
        own = {"suite_name": self.result.suite_name, "suite_parameters": {}, "statistics": self.result.statistics}
        return {"success": self.result.success, "results": results, **own, "meta": {}, "id": None}


def _without_examples(found: Mapping[str, Any]) -> dict[str, Any]:
    return {name: [] if name == "partial_unexpected_list" else value for name, value in found.items()}


@cache
def engines() -> ModuleType:
    """The module of the engines, and with it Great Expectations, which takes seconds to load. Two expectations of its
    own test and draw distributions; no contract asks for them, and what they import is a third of those seconds."""
    with deferred("scipy.stats", "altair"):
        from kinerja_pipeline.contracts import engines
    return engines


def judge_counts(contract: Contract, counts: Counts) -> Judgement:
    """The judgement of an incoming feed from the counts of its split."""
    return _judged(contract, engines().EvidenceEngine(contract, counts), with_examples=False)


def judge_rows(contract: Contract, rows: Rows, *, with_examples: bool = False) -> Judgement:
    """The judgement of a table from its rows, counted independently of whoever made them."""
    return _judged(contract, engines().RecountEngine(contract, rows), with_examples=with_examples)


def judge_published(contract: Contract, frame: pl.DataFrame, region: str, periods: Collection[str]) -> Judgement:
    """The judgement of an outgoing table of one region, before it replaces what stands for `periods`."""
    return judge_rows(contract, published_rows(contract, frame, region, periods), with_examples=True)


def published_rows(contract: Contract, frame: pl.DataFrame, region: str, periods: Collection[str]) -> Rows:
    """An outgoing frame with the conditions of its contract, and of a publication, that have no native twin."""
    fails = {r.name: pl.sql_expr(r.predicate) for r in contract.rules if r.what == "row" and r.predicate}
    fails[REGION_OTHER] = pl.col("region") != region
    fails[PERIOD_OTHER] = ~pl.col("period").is_in(list(periods))
    return Rows(frame, fails)


class _Step(NamedTuple):
    """One expectation of a suite, and the metrics that it judges by."""

    expectation: Expectation
    configuration: ExpectationConfiguration
    needs: Mapping[str, MetricConfiguration]
    result_format: dict[str, Any]
    document: Mapping[str, Any]


class _Plan(NamedTuple):
    suite_name: str
    steps: tuple[_Step, ...]
    metrics: Mapping[Any, MetricConfiguration]


@lru_cache(maxsize=256)
def _plan(contract: Contract, engine: type[ContractEngine], with_examples: bool) -> _Plan:
    from kinerja_pipeline.contracts.expectations import result_format, suite_of

    suite = suite_of(contract)
    steps = []
    for expectation in suite.expectations:
        with _configured_once():
            # An engine is asked for nothing here but its type: which providers it has.
            needed = expectation.get_validation_dependencies(
                execution_engine=engine.__new__(engine),
                runtime_configuration={"result_format": result_format(with_examples)},
            )
        needs = dict(needed.metric_configurations)
        configuration = expectation.configuration
        document = configuration.to_json_dict()
        steps.append(_Step(expectation, configuration, needs, needed.result_format, document))
    metrics = {m.id: m for step in steps for m in step.needs.values()}
    return _Plan(suite.name, tuple(steps), metrics)


@contextmanager
def _configured_once() -> Iterator[None]:
    """Within it an expectation builds its configuration once, not each of the forty times that it is asked for while
    its metrics are looked up. Nothing changes the configuration meanwhile. Without this the plans of all pages cost a
    process two seconds of processor time before its first publication; with it half a second."""
    from great_expectations.expectations.expectation import Expectation

    original = Expectation.configuration
    known: dict[int, tuple[Expectation, ExpectationConfiguration]] = {}

    def configuration(self: Expectation) -> ExpectationConfiguration:
        # The expectation is kept too: the number of one that is gone may be another's.
        if id(self) not in known:
            known[id(self)] = self, original.__get__(self)
        return known[id(self)][1]

    setattr(Expectation, "configuration", property(configuration))  # noqa: B010 - to mypy it is read-only
    try:
        yield
    finally:
        setattr(Expectation, "configuration", original)  # noqa: B010


def _judged(contract: Contract, engine: ContractEngine, *, with_examples: bool) -> Judgement:
    from great_expectations.core import ExpectationSuiteValidationResult
    from great_expectations.validator.validator import calc_validation_statistics

    plan = _plan(contract, type(engine), with_examples)
    answers, refused = _answers(engine, plan.metrics)
    results = [_result(step, engine, answers, refused) for step in plan.steps]
    statistics = calc_validation_statistics(results)
    result = ExpectationSuiteValidationResult(
        success=statistics.success,
        results=results,
        suite_name=plan.suite_name,
        statistics=statistics._asdict(),
    )
    outcomes = tuple(_outcome(s, r) for s, r in zip(plan.steps, results, strict=True))
    return Judgement(contract, outcomes, result, tuple(step.document for step in plan.steps))


def _answers(
    engine: ContractEngine, metrics: Mapping[Any, MetricConfiguration]
) -> tuple[dict[Any, Any], dict[Any, str]]:
    """The engine's answers, and why it refuses some: a condition that cannot be evaluated does not spare the others."""
    from great_expectations.exceptions import MetricResolutionError

    wanted, refused = dict(metrics), dict[Any, str]()
    while True:
        try:
            return engine.resolve_metrics(wanted.values()), refused
        except MetricResolutionError as error:
            for metric in error.failed_metrics:
                refused[metric.id] = str(error)
                del wanted[metric.id]


def _result(
    step: _Step, engine: ContractEngine, answers: Mapping[Any, Any], refused: Mapping[Any, str]
) -> ExpectationValidationResult:
    from great_expectations.core import ExpectationValidationResult
    from great_expectations.validator.exception_info import ExceptionInfo

    for metric in step.needs.values():
        if metric.id in refused:
            info = ExceptionInfo(exception_traceback="", exception_message=refused[metric.id])
            return ExpectationValidationResult(
                success=False, expectation_config=step.configuration, exception_info=info
            )
    judged = step.expectation._validate(
        metrics={name: answers[metric.id] for name, metric in step.needs.items()},
        runtime_configuration={"result_format": step.result_format},
        execution_engine=engine,
    )
    return ExpectationValidationResult(**judged, expectation_config=step.configuration)


def _outcome(step: _Step, result: ExpectationValidationResult) -> Outcome:
    found, info, said = result.result, result.exception_info, step.configuration.meta
    examples = found.get("partial_unexpected_list") or [None]
    return Outcome(
        rule=said["rule"],
        words=said["words"],
        severity=said["severity"],
        is_met=bool(result.success),
        asked=found.get("element_count", 0) - found.get("missing_count", 0),
        broken=found.get("unexpected_count", 0),
        mostly=step.configuration.kwargs.get("mostly", 1.0),
        example=examples[0],
        problem=info["exception_message"] if info and info["raised_exception"] else None,
    )
