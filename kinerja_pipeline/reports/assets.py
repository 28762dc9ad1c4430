"""Reports' assets: pages for people beside the lake, by region and month.

Here: binding, and which documents a page shows. Not here: the pages themselves (the modules beside this one).
"""

import time

from dagster import AssetDep, AssetExecutionContext, AssetsDefinition, MaterializeResult, MetadataValue, asset

from kinerja_pipeline.home import warehouse_url
from kinerja_pipeline.landing.deliveries import deliveries
from kinerja_pipeline.orchestration.deployment import Deployment, region_month_of
from kinerja_pipeline.orchestration.resources import HomeResource, RegionLock
from kinerja_pipeline.orchestration.storage import whole_file
from kinerja_pipeline.reports.places import monthly_folder, names_in, to_monthly, validation_file
from kinerja_pipeline.reports.validation import validation_page

EARLIER = 11
"""Months that the trend of a page shows before its own."""


def reports_assets(deployment: Deployment) -> list[AssetsDefinition]:
    return [_validation(deployment), _monthly(deployment)]


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
            back = to_monthly(region, month) if own else None
            page = validation_page(lake.read_document("validation", name, region, own), earlier, files, back)
            target = validation_file(home.home, region, own, name)
            with whole_file(target) as file:
                file.write(page.encode())
            pages[name] = MetadataValue.path(target)
        return MaterializeResult(metadata={**pages, "seconds": round(time.perf_counter() - start, 3)})

    return validation


def _monthly(deployment: Deployment) -> AssetsDefinition:
    # The tables are published together; the report waits for all of them and then reads what readers see.
    deps = [AssetDep(["warehouse", name]) for name in deployment.contracts.outgoing if name != "publication"]

    @asset(
        key=["reports", "monthly"],
        group_name="reports",
        kinds={"html", "excel"},
        deps=deps,
        partitions_def=deployment.region_month,
        description="The month as officials look at it: a page to read and print and a workbook to sort, which name "
        "people in the follow-up lists, and a page for everyone, which names nobody.",
    )
    def monthly(context: AssetExecutionContext, home: HomeResource, lock: RegionLock) -> MaterializeResult[None]:
        # Late: SQLAlchemy would make up a quarter of the time in which the definitions load.
        from kinerja_pipeline.reports.monthly import ReportError, write_report

        region, month = region_month_of(context)
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
            metadata={
                **{file.name.replace(".", "_"): MetadataValue.path(file) for file in files},
                "open": MetadataValue.url((monthly_folder(home.home, region, month) / names_in("id").page).as_uri()),
                "seconds": round(time.perf_counter() - start, 3),
            }
        )

    return monthly
