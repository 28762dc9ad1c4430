"""Reports' assets: pages for people beside the lake, by region and month.

Here: binding, and which documents a page shows. Not here: the pages themselves (the modules beside this one).
"""

import time

from dagster import AssetDep, AssetExecutionContext, AssetsDefinition, MaterializeResult, MetadataValue, asset

from kinerja_pipeline.landing.deliveries import deliveries
from kinerja_pipeline.orchestration.deployment import Deployment, region_month_of
from kinerja_pipeline.orchestration.resources import HomeResource, RegionLock
from kinerja_pipeline.orchestration.storage import whole_file
from kinerja_pipeline.reports.validation import validation_page

EARLIER = 11
"""Months that the trend of a page shows before its own."""


def reports_assets(deployment: Deployment) -> list[AssetsDefinition]:
    return [_validation(deployment)]


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
            page = validation_page(lake.read_document("validation", name, region, own), earlier, files)
            target = home.home.reports / "validation" / region / (own or "register") / f"{name}.html"
            with whole_file(target) as file:
                file.write(page.encode())
            pages[name] = MetadataValue.path(target)
        return MaterializeResult(metadata={**pages, "seconds": round(time.perf_counter() - start, 3)})

    return validation
