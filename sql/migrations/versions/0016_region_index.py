"""A region's lines of what publications only add to are found without reading those of all others."""

from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    schema = op.get_context().version_table_schema
    for table in ("publication", "restatement"):
        op.create_index(f"ix_{table}_region", table, ["region", "publication_id"], schema=schema)
