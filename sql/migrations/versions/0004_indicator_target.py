"""Targets agreed with employees and units."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    schema = op.get_context().version_table_schema
    op.create_table(
        "indicator_target",
        sa.Column("region", sa.String(), nullable=False),
        sa.Column("indicator_id", sa.String(), nullable=False),
        sa.Column("subject_kind", sa.String(), nullable=False),
        sa.Column("subject_id", sa.String(), nullable=False),
        sa.Column("period", sa.String(), nullable=False),
        sa.Column("target", sa.Double(), nullable=False),
        sa.Column("agreed_at", sa.DateTime(timezone=True)),
        sa.Column("is_agreed_before_start", sa.Boolean()),
        sa.PrimaryKeyConstraint(
            "region", "indicator_id", "subject_kind", "subject_id", "period", name="pk_indicator_target"
        ),
        schema=schema,
    )
    op.create_index("ix_indicator_target_period", "indicator_target", ["period", "region"], schema=schema)
