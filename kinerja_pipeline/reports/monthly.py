"""The report files of a region's month: a page and a workbook for officials, a page that names nobody for everyone.

Here: reading the warehouse once and writing the three files, each beside the old one and then renamed, readable by this
account alone. Not here: what they show (reports/page, reports/workbook), when (reports/assets, the command line).
"""

from __future__ import annotations

from pathlib import Path

from kinerja_pipeline.contracts.model import Contracts
from kinerja_pipeline.home import Home
from kinerja_pipeline.landing.refusals import no_region
from kinerja_pipeline.orchestration.storage import Lake, whole_file
from kinerja_pipeline.policies.dated import Policies
from kinerja_pipeline.reports.figures import figures
from kinerja_pipeline.reports.page import page
from kinerja_pipeline.reports.places import monthly_folder, names_in, to_validation
from kinerja_pipeline.reports.telling import Links
from kinerja_pipeline.reports.words import Language
from kinerja_pipeline.reports.workbook import workbook
from kinerja_pipeline.warehouse.published import published_month


class ReportError(Exception):
    """There is no report; the message says why and what to do."""


def write_report(
    home: Home, url: str, policies: Policies, contracts: Contracts, region: str, month: str, language: Language = "id"
) -> list[Path]:
    """Writes the report of what the warehouse at `url` holds of the month; returns its files.

    All three show one snapshot of the warehouse. Raises ReportError, NotPublished, WarehouseError.
    """
    if region not in policies:
        raise ReportError(f"There is {no_region(region, policies)}")
    folder = monthly_folder(home, region, month)
    if not folder.resolve().is_relative_to(home.root.resolve()):
        raise ReportError(f"{folder} leads out of the home {home.root}; reports stay in it. Mend that link.")
    policy = policies.in_force(region, month)
    shown = figures(published_month(url, contracts.outgoing, region, month), policy, month)
    names = names_in(language)
    lake, pages = Lake(home.lake), {}
    for name, contract in contracts.incoming.items():
        own = month if contract.is_event else None
        if lake.document_path("validation", name, region, own).is_file():
            pages[name] = to_validation(region, own, name)
    contents = {
        names.page: page(shown, policy, language, "officials", Links(names.workbook, pages)).encode(),
        names.workbook: workbook(shown, policy, contracts.outgoing, language),
        names.summary: page(shown, policy, language, "everyone").encode(),
    }
    for name, content in contents.items():
        with whole_file(folder / name) as file:
            file.write(content)
    return [folder / name for name in contents]
