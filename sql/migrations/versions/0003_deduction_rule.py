"""Days say which rule made their deduction, months of which base theirs is."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    schema = op.get_context().version_table_schema
    op.add_column("attendance_day", sa.Column("deduction_rule", sa.String()), schema=schema)
    op.add_column("attendance_month", sa.Column("deduction_base_code", sa.String()), schema=schema)
