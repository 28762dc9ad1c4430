"""The home's event log stores what Dagster's own would."""

from __future__ import annotations

from pathlib import Path

import pytest
from dagster import AssetKey, DagsterInstance, asset, materialize

from kinerja_pipeline.orchestration import launch

OURS = """\
telemetry: {enabled: false}
event_log_storage:
  module: kinerja_pipeline.orchestration.event_log
  class: HomeEventLogStorage
"""


def test_an_asset_is_known_from_its_first_run_and_points_to_its_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Its row is updated before an insert is tried, the other way round than Dagster does it.
    monkeypatch.setenv("KINERJA_HOME", str(tmp_path / "home"))
    (tmp_path / "dagster.yaml").write_text(OURS, encoding="utf-8")

    @asset
    def thing() -> None: ...

    with DagsterInstance.from_config(str(tmp_path)) as instance:
        for _ in range(2):
            run = materialize([thing], instance=instance, run_config=launch.QUIET)
            last = instance.get_latest_materialization_event(AssetKey("thing"))
            assert instance.get_asset_keys() == [AssetKey("thing")]
            assert last is not None
            assert last.run_id == run.run_id
