"""Alembic's entry: runs revisions on the connection of `warehouse.database.migrate`, in its transaction."""

from alembic import context

attributes = context.config.attributes
context.configure(
    connection=attributes["connection"],
    version_table_schema=attributes["schema"],
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
