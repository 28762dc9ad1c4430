"""What was expected and came, by unit and day."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    schema = op.get_context().version_table_schema
    op.create_table(
        "feed_day",
        sa.Column("region", sa.String(), nullable=False),
        sa.Column("feed", sa.String(), nullable=False),
        sa.Column("unit_id", sa.String(), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("period", sa.String(), nullable=False),
        sa.Column("expected_count", sa.BigInteger(), nullable=False),
        sa.Column("received_count", sa.BigInteger(), nullable=False),
        sa.Column("due_date", sa.Date()),
        sa.Column("is_late", sa.Boolean()),
        sa.Column("downtime_minutes", sa.BigInteger()),
        sa.PrimaryKeyConstraint("region", "feed", "unit_id", "date", name="pk_feed_day"),
        schema=schema,
    )
    op.create_index("ix_feed_day_period", "feed_day", ["period", "region"], schema=schema)
