"""Reports' assets: pages for people beside the lake, by region and month.

Here: binding, and which documents a page shows. Not here: the pages themselves (the modules beside this one).
"""

import time
from collections.abc import Iterable, Iterator

from dagster import (
    AssetDep,
    AssetExecutionContext,
    AssetKey,
    AssetsDefinition,
    AssetSpec,
    MaterializeResult,
    MetadataValue,
    asset,
    multi_asset,
)

from kinerja_pipeline.home import warehouse_url
from kinerja_pipeline.landing.deliveries import deliveries
from kinerja_pipeline.orchestration.basis import note_reported
from kinerja_pipeline.orchestration.deployment import Deployment, region_month_of
from kinerja_pipeline.orchestration.faults import retrying
from kinerja_pipeline.orchestration.resources import HomeResource, RegionLock
from kinerja_pipeline.orchestration.storage import whole_file
from kinerja_pipeline.reports.places import PUBLISHED_TABLES, to_monthly, validation_file
from kinerja_pipeline.reports.published import published_page
from kinerja_pipeline.reports.validation import validation_page

PUBLISHED, MONTHLY = AssetKey(["reports", "published"]), AssetKey(["reports", "monthly"])
EARLIER = 11
"""Months that the trend of a page shows before its own."""


def reports_assets(deployment: Deployment) -> list[AssetsDefinition]:
    return [_validation(deployment), _after_publication(deployment)]


def _validation(deployment: Deployment) -> AssetsDefinition:
    feeds = deployment.contracts.incoming
    deps = [
        AssetDep(["validated", name], partition_mapping=None if contract.is_event else deployment.of_region)
        for name, contract in feeds.items()
    ]

    @asset(
        key=["reports", "validation"],
        group_name="reports",
        kinds={"html"},
        deps=deps,
        partitions_def=deployment.region_month,
        description="One page per feed: what its contract asks, how many rows broke each rule and where, the trend. "
        "For browsers, without network; no value of a row.",
    )
    @retrying
    def validation(context: AssetExecutionContext, home: HomeResource, lock: RegionLock) -> MaterializeResult[None]:
        region, month = region_month_of(context)
        lake, start = home.lake, time.perf_counter()
        ledger = deliveries(home.home, region)
        files = dict(ledger.select("delivery_id", "file_name").iter_rows())
        pages = {}
        for name, contract in feeds.items():
            own = month if contract.is_event else None
            before = (
                [m for m in lake.document_months("validation", name, region) if m < month][-EARLIER:] if own else []
            )
            earlier = [lake.read_document("validation", name, region, m) for m in before]
            back = to_monthly(region, month) if own else None
            page = validation_page(lake.read_document("validation", name, region, own), earlier, files, back)
            target = validation_file(home.home, region, own, name)
            with whole_file(target) as file:
                file.write(page.encode())
            pages[name] = MetadataValue.path(target)
        return MaterializeResult(metadata={**pages, "seconds": round(time.perf_counter() - start, 3)})

    return validation


def _after_publication(deployment: Deployment) -> AssetsDefinition:
    # The tables are published together; what is told of them waits for all. One step: two would cost more than a page.
    tables = deployment.replaced_tables
    deps = [AssetDep(["warehouse", name]) for name in tables]
    specs = [
        AssetSpec(
            PUBLISHED,
            group_name="reports",
            kinds={"html"},
            deps=deps,
            description="One page per month: what the contracts promise of every published table, and how many rows "
            "keep it. For browsers, without network; no value of a row.",
        ),
        AssetSpec(
            MONTHLY,
            group_name="reports",
            kinds={"html", "excel"},
            deps=deps,
            description="The month as officials look at it: a page to read and print and a workbook to sort, which "
            "name people in the follow-up lists, and a page for everyone, which names nobody.",
        ),
    ]

    @multi_asset(name="after_publication", specs=specs, partitions_def=deployment.region_month, can_subset=False)
    @retrying
    def after_publication(
        context: AssetExecutionContext, home: HomeResource, lock: RegionLock
    ) -> Iterator[MaterializeResult[None]]:
        region, month = region_month_of(context)
        yield _published(home, tables, region, month)
        yield _monthly(home, deployment, region, month)
        note_reported(home.lake, region, month)

    return after_publication


def _published(home: HomeResource, tables: Iterable[str], region: str, month: str) -> MaterializeResult[None]:
    start = time.perf_counter()
    kept = [home.lake.read_document("published", name, region, month) for name in tables]
    target = validation_file(home.home, region, month, PUBLISHED_TABLES)
    with whole_file(target) as file:
        file.write(published_page(kept, region, month, to_monthly(region, month)).encode())
    seconds = round(time.perf_counter() - start, 3)
    return MaterializeResult(asset_key=PUBLISHED, metadata={"page": MetadataValue.path(target), "seconds": seconds})


def _monthly(home: HomeResource, deployment: Deployment, region: str, month: str) -> MaterializeResult[None]:
    # Late: SQLAlchemy would make up a quarter of the time in which the definitions load.
    from kinerja_pipeline.reports.monthly import ReportError, write_report

    start = time.perf_counter()
    try:
        files = write_report(
            home.home, warehouse_url(home.home), deployment.policies, deployment.contracts, region, month
        )
    except Exception as error:
        again = f"kinerja report --region {region} --month {month}"
        raise ReportError(
            f"The month is published; only its report could not be made: {error} Afterwards: `{again}`."
        ) from error
    return MaterializeResult(
        asset_key=MONTHLY,
        metadata={
            **{file.name.replace(".", "_"): MetadataValue.path(file) for file in files},
            "seconds": round(time.perf_counter() - start, 3),
        },
    )
