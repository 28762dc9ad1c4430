"""The band of the numeric score, and the new idea that its highest asks for."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    schema = op.get_context().version_table_schema
    op.add_column("evaluation", sa.Column("has_new_idea", sa.Boolean()), schema=schema)
    op.add_column("evaluation", sa.Column("numeric_band_code", sa.String()), schema=schema)
