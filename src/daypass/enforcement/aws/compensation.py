"""Undoes changes at API Gateway after a later step has failed. Nothing here raises AwsError."""

from collections.abc import Sequence

import structlog

from daypass.enforcement.aws.client import ApiGateway
from daypass.enforcement.aws.errors import AwsError
from daypass.enforcement.aws.plans import AwsPlan

log = structlog.get_logger()


async def delete_key(api: ApiGateway, aws_key_id: str) -> None:
    """Delete a key that was never shown or has been replaced."""
    try:
        await api.delete_key(aws_key_id)
    except AwsError as error:
        # Harmless: the gateway rejects a key that is not in the database.
        log.error("key_left_behind", aws_key_id=aws_key_id, reason=error.reason)


async def move_back(
    api: ApiGateway, aws_key_id: str, before: AwsPlan | None, after: AwsPlan
) -> None:
    """Move a key back to its previous plan."""
    try:
        await api.detach(aws_key_id, after.aws_id)
        if before is not None:
            await api.attach(aws_key_id, before.aws_id)
    except AwsError as error:
        log.error("key_without_plan", aws_key_id=aws_key_id, reason=error.reason)


async def change_back(api: ApiGateway, aws_key_ids: Sequence[str], **values: str | bool) -> None:
    """Restore the `name` of keys, or whether they are `enabled`."""
    try:
        for aws_key_id in aws_key_ids:
            await api.change_key(aws_key_id, **values)
    except AwsError as error:
        log.error("key_not_changed_back", aws_key_ids=aws_key_ids, reason=error.reason)
