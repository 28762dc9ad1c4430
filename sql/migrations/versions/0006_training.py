"""Training of the year and training programmes."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    schema = op.get_context().version_table_schema
    op.create_table(
        "training_programme",
        sa.Column("region", sa.String(), nullable=False),
        sa.Column("programme_id", sa.String(), nullable=False),
        sa.Column("year", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String()),
        sa.Column("competency_code", sa.String()),
        sa.Column("provider", sa.String()),
        sa.Column("planned_hours", sa.Double()),
        sa.Column("realised_hours", sa.Double(), nullable=False),
        sa.Column("planned_places", sa.BigInteger()),
        sa.Column("realised_places", sa.BigInteger(), nullable=False),
        sa.Column("planned_cost", sa.Double()),
        sa.Column("realised_cost", sa.Double()),
        sa.Column("cost_per_hour", sa.Double()),
        sa.Column("unmet_count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("region", "programme_id", "year", name="pk_training_programme"),
        schema=schema,
    )
    op.create_table(
        "training_year",
        sa.Column("region", sa.String(), nullable=False),
        sa.Column("nip", sa.String(), nullable=False),
        sa.Column("period", sa.String(), nullable=False),
        sa.Column("unit_id", sa.String()),
        sa.Column("hours", sa.Double()),
        sa.Column("expected_hours", sa.Double(), nullable=False),
        sa.Column("programme_count", sa.BigInteger()),
        sa.Column("hours_share", sa.Double()),
        sa.Column("month_hours", sa.Double(), nullable=False),
        sa.Column("counted_from_date", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("region", "nip", "period", name="pk_training_year"),
        schema=schema,
    )
    op.create_index("ix_training_year_period", "training_year", ["period", "region"], schema=schema)
