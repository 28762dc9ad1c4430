"""Counters of unexcused days say why they are null, or that they count too little."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    schema = op.get_context().version_table_schema
    for name in ("unexcused_year_reason", "unexcused_run_reason"):
        op.add_column("attendance_month", sa.Column(name, sa.String()), schema=schema)
