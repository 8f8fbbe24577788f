"""the price used, also in the site's usage"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("usage_site_day", sa.Column("price", sa.String(length=100), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("usage_site_day") as changed:
        changed.drop_column("price")
