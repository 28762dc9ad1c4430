"""The home's event log stores what Dagster's own would."""

from __future__ import annotations

from pathlib import Path

import pytest
from dagster import AssetKey, DagsterEventType, DagsterInstance, StaticPartitionsDefinition, asset, materialize
from dagster._core.definitions.data_version import DATA_VERSION_TAG
from dagster._core.storage.event_log import ConsolidatedSqliteEventLogStorage

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


def test_the_versions_of_partitions_are_those_that_dagster_reads_also_after_a_wipe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Every input of every step asks for them; our statement is another than Dagster's.
    monkeypatch.setenv("KINERJA_HOME", str(tmp_path / "home"))
    (tmp_path / "dagster.yaml").write_text(OURS, encoding="utf-8")

    @asset(partitions_def=StaticPartitionsDefinition(["a", "b", "c"]))
    def thing() -> None: ...

    with DagsterInstance.from_config(str(tmp_path)) as instance:
        storage = instance.event_log_storage
        asked = (AssetKey("thing"), DagsterEventType.ASSET_MATERIALIZATION, [DATA_VERSION_TAG])

        def versions(*partitions: str) -> dict[str, str]:
            ours = storage.get_latest_tags_by_partition(*asked, asset_partitions=list(partitions))
            assert ours == ConsolidatedSqliteEventLogStorage.get_latest_tags_by_partition(storage, *asked, partitions)
            return {partition: tags[DATA_VERSION_TAG] for partition, tags in ours.items()}

        assert versions("a", "b") == {}
        for partition in ("a", "b", "b"):
            before = versions("b")
            materialize([thing], instance=instance, partition_key=partition, run_config=launch.QUIET)
        assert versions("a", "b", "c").keys() == {"a", "b"}, "c was never made"
        assert versions("b") != before, "the last of two"
        instance.wipe_assets([AssetKey("thing")])
        assert versions("a", "b") == {}
        materialize([thing], instance=instance, partition_key="a", run_config=launch.QUIET)
        assert versions("a", "b").keys() == {"a"}, "b was made before the wipe"
