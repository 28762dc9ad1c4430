"""Dagster's settings of a home, as `kinerja init` writes them.

Here: the file dagster.yaml, and the databases that it names. Dagster itself only where they are made: a home that
stands already is opened quickly.
"""

from __future__ import annotations

from kinerja_pipeline.home import Home

INSTANCE_SETTINGS = """\
# Dagster's settings of this home. The runs' history stands in the folders beside this file.
telemetry:
  enabled: false
nux:
  enabled: false
concurrency:
  runs:
    max_concurrent_runs: 2
    tag_concurrency_limits:
      # Two months of a region share its quarter and year: one run per region at a time.
      - key: dagster/partition/region
        value: {applyLimitPerUniqueValue: true}
        limit: 1
      # Nothing runs twice at once on one partition, landing neither. (Every run holds its region's lock besides.)
      - key: dagster/partition
        value: {applyLimitPerUniqueValue: true}
        limit: 1
event_log_storage:
  module: kinerja_pipeline.orchestration.event_log
  class: HomeEventLogStorage
compute_logs:
  # A run says what it has to say in events. What libraries print is nobody's to keep: it might quote somebody's data.
  module: dagster._core.storage.noop_compute_log_manager
  class: NoOpComputeLogManager
python_logs:
  # What a run prints; its events are kept whatever this says.
  python_log_level: INFO
run_queue:
  dequeue_interval_seconds: 1
  # A run whose turn comes while the code server starts anew waits for it, five minutes at most.
  max_user_code_failure_retries: 60
  user_code_failure_retry_delay: 5
run_monitoring:
  enabled: true
  free_slots_after_run_end_seconds: 30
run_retries:
  # A run that was cut off, or that found the database or the disk gone longer than its steps wait. No other failure is
  # cured by a rerun.
  enabled: true
  max_retries: 3
  retry_on_asset_or_op_failure: false
"""


def write_instance_settings(home: Home) -> None:
    """Writes dagster.yaml where there is none, and makes its databases; an operator's own settings stay."""
    path = home.dagster / "dagster.yaml"
    if not path.exists():
        from kinerja_pipeline.orchestration.storage import whole_file

        # Killed halfway it would leave a file without settings, which stays for it is there.
        with whole_file(path) as file:
            file.write(INSTANCE_SETTINGS.encode())
        make_databases(home)


def make_databases(home: Home) -> None:
    """Makes the databases that dagster.yaml names, unless they stand. Before there are two who would: a web server and
    a daemon that start at once on a new home both enter their revision into Dagster's runs, which then never opens."""
    from dagster import DagsterInstance

    DagsterInstance.from_config(str(home.dagster)).dispose()
