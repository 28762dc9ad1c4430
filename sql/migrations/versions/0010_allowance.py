"""The allowance as shares."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0006"


def upgrade() -> None:
    schema = op.get_context().version_table_schema
    op.create_table(
        "allowance",
        sa.Column("region", sa.String(), nullable=False),
        sa.Column("nip", sa.String(), nullable=False),
        sa.Column("period", sa.String(), nullable=False),
        sa.Column("unit_id", sa.String()),
        sa.Column("discipline_weight", sa.Double(), nullable=False),
        sa.Column("productivity_weight", sa.Double(), nullable=False),
        sa.Column("deduction_share", sa.Double()),
        sa.Column("deduction_base_code", sa.String()),
        sa.Column("deduction_of_allowance_share", sa.Double()),
        sa.Column("discipline_share", sa.Double()),
        sa.Column("productivity_share", sa.Double()),
        sa.Column("allowance_share", sa.Double()),
        sa.Column("explanation", sa.String()),
        sa.Column("status_code", sa.String(), nullable=False),
        sa.Column("reason", sa.String()),
        sa.Column("policy_version", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("region", "nip", "period", name="pk_allowance"),
        schema=schema,
    )
    op.create_index("ix_allowance_period", "allowance", ["period", "region"], schema=schema)
