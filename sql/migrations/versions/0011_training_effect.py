"""Before and after a training."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    schema = op.get_context().version_table_schema
    op.create_table(
        "training_effect",
        sa.Column("region", sa.String(), nullable=False),
        sa.Column("programme_id", sa.String(), nullable=False),
        sa.Column("subject_kind", sa.String(), nullable=False),
        sa.Column("subject_id", sa.String(), nullable=False),
        sa.Column("period", sa.String(), nullable=False),
        sa.Column("completed_period", sa.String(), nullable=False),
        sa.Column("competency_code", sa.String()),
        sa.Column("indicator_id", sa.String()),
        sa.Column("participant_count", sa.BigInteger(), nullable=False),
        sa.Column("person_count", sa.BigInteger(), nullable=False),
        sa.Column("before_count", sa.BigInteger(), nullable=False),
        sa.Column("after_count", sa.BigInteger(), nullable=False),
        sa.Column("before_value", sa.Double()),
        sa.Column("after_value", sa.Double()),
        sa.Column("change_value", sa.Double()),
        sa.Column("status_code", sa.String(), nullable=False),
        sa.Column("reason", sa.String()),
        sa.Column("policy_version", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint(
            "region", "programme_id", "subject_kind", "subject_id", "period", name="pk_training_effect"
        ),
        schema=schema,
    )
    op.create_index("ix_training_effect_period", "training_effect", ["period", "region"], schema=schema)
