"""What was changed in closed periods."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    schema = op.get_context().version_table_schema
    op.create_table(
        "restatement",
        sa.Column("publication_id", sa.String(), nullable=False),
        sa.Column("table_name", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("column_name", sa.String(), nullable=False),
        sa.Column("region", sa.String(), nullable=False),
        sa.Column("period", sa.String(), nullable=False),
        sa.Column("subject_kind", sa.String(), nullable=False),
        sa.Column("subject_id", sa.String(), nullable=False),
        sa.Column("change_code", sa.String(), nullable=False),
        sa.Column("old_value", sa.String()),
        sa.Column("new_value", sa.String()),
        sa.Column("is_suppressed", sa.Boolean(), nullable=False),
        sa.Column("cause_code", sa.String(), nullable=False),
        sa.Column("cause_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("publication_id", "table_name", "key", "column_name", name="pk_restatement"),
        schema=schema,
    )
    op.create_index("ix_restatement_period", "restatement", ["period", "region"], schema=schema)
