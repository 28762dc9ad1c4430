"""The distribution of predicates in a unit."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    schema = op.get_context().version_table_schema
    op.create_table(
        "unit_evaluation",
        sa.Column("region", sa.String(), nullable=False),
        sa.Column("unit_id", sa.String(), nullable=False),
        sa.Column("period_kind", sa.String(), nullable=False),
        sa.Column("period", sa.String(), nullable=False),
        sa.Column("employee_count", sa.BigInteger(), nullable=False),
        sa.Column("evaluated_count", sa.BigInteger(), nullable=False),
        sa.Column("official_count", sa.BigInteger(), nullable=False),
        sa.Column("sangat_baik_count", sa.BigInteger(), nullable=False),
        sa.Column("baik_count", sa.BigInteger(), nullable=False),
        sa.Column("butuh_perbaikan_count", sa.BigInteger(), nullable=False),
        sa.Column("kurang_count", sa.BigInteger(), nullable=False),
        sa.Column("sangat_kurang_count", sa.BigInteger(), nullable=False),
        sa.Column("recommended_sangat_baik_count", sa.BigInteger(), nullable=False),
        sa.Column("recommended_baik_count", sa.BigInteger(), nullable=False),
        sa.Column("recommended_butuh_perbaikan_count", sa.BigInteger(), nullable=False),
        sa.Column("recommended_kurang_count", sa.BigInteger(), nullable=False),
        sa.Column("recommended_sangat_kurang_count", sa.BigInteger(), nullable=False),
        sa.Column("pattern_code", sa.String()),
        sa.Column("is_conformant", sa.Boolean()),
        sa.Column("change_count", sa.BigInteger()),
        sa.Column("note", sa.String()),
        sa.Column("policy_version", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("region", "unit_id", "period_kind", "period", name="pk_unit_evaluation"),
        schema=schema,
    )
    op.create_index("ix_unit_evaluation_period", "unit_evaluation", ["period", "region"], schema=schema)
