"""The command `kinerja`: thin: parse, call, print.

Here: which commands there are. Each is in the module of those who use it (operators, suppliers, analysts, policies),
and stands in the frame (frame). Not here, nor anywhere in this package: anything that the pipeline would need without
a command line. Heavy imports (Polars, Dagster, SQLAlchemy) stay inside the commands, so that `--help` answers at once.

Exit codes: 0 done, 1 something was refused or failed, 2 the command line itself is wrong.
"""

from __future__ import annotations

from kinerja_pipeline.cli import analysts, operators, policies, suppliers
from kinerja_pipeline.cli.frame import main

__all__ = ["main"]

for _command in (
    *(operators.init, operators.demo, operators.plan, operators.run, operators.replay),
    *(operators.status, operators.report, operators.doctor, operators.ui),
    *(suppliers.check, suppliers.contracts),
    *(analysts.migrate, analysts.views, analysts.dictionary, analysts.query),
    *(analysts.export, analysts.explore, analysts.explain),
    policies.policy,
):
    main.add_command(_command)
