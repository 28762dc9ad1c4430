"""360-degree appraisal: roles, competency profiles, raters of a unit."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    schema = op.get_context().version_table_schema
    op.create_table(
        "appraisal_role",
        sa.Column("region", sa.String(), nullable=False),
        sa.Column("nip", sa.String(), nullable=False),
        sa.Column("period", sa.String(), nullable=False),
        sa.Column("role_code", sa.String(), nullable=False),
        sa.Column("rater_count", sa.BigInteger(), nullable=False),
        sa.Column("mean_score", sa.Double()),
        sa.Column("is_suppressed", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("region", "nip", "period", "role_code", name="pk_appraisal_role"),
        schema=schema,
    )
    op.create_index("ix_appraisal_role_period", "appraisal_role", ["period", "region"], schema=schema)
    op.create_table(
        "competency_profile",
        sa.Column("region", sa.String(), nullable=False),
        sa.Column("nip", sa.String(), nullable=False),
        sa.Column("period", sa.String(), nullable=False),
        sa.Column("competency_code", sa.String(), nullable=False),
        sa.Column("score", sa.Double()),
        sa.Column("unit_mean", sa.Double()),
        sa.Column("gap", sa.Double()),
        sa.Column("is_strength", sa.Boolean()),
        sa.Column("is_weakness", sa.Boolean()),
        sa.Column("is_suppressed", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("region", "nip", "period", "competency_code", name="pk_competency_profile"),
        schema=schema,
    )
    op.create_index("ix_competency_profile_period", "competency_profile", ["period", "region"], schema=schema)
    op.create_table(
        "rater_unit",
        sa.Column("region", sa.String(), nullable=False),
        sa.Column("unit_id", sa.String(), nullable=False),
        sa.Column("period", sa.String(), nullable=False),
        sa.Column("rater_count", sa.BigInteger(), nullable=False),
        sa.Column("expected_count", sa.BigInteger(), nullable=False),
        sa.Column("leniency", sa.Double()),
        sa.Column("spread", sa.Double()),
        sa.Column("is_suppressed", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("region", "unit_id", "period", name="pk_rater_unit"),
        schema=schema,
    )
    op.create_index("ix_rater_unit_period", "rater_unit", ["period", "region"], schema=schema)
