"""Answers kept for `Idempotency-Key`s, so that a repeated request does nothing twice.

A request first claims its key. Its answer is written in the transaction that creates its object: an
answer is kept if and only if the object exists. A claim whose process died can be taken over; its
request, should it still run, then cannot commit.
"""

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from daypass.domain.times import DAY_S
from daypass.records.database import insert_into
from daypass.records.tables import IdempotentAnswer

KEPT_S = DAY_S
CLAIM_S = 60
"""Seconds after which a claim without an answer can be taken over."""


async def claim(
    session: AsyncSession, row_id: str, request: str, claim: str, now: int
) -> IdempotentAnswer | None:
    """Claim a key for a request. Return None if that succeeds, otherwise the row in the way.

    `request` is its fingerprint and `claim` its own random name; `now` is Unix time in seconds.
    """
    row = insert_into(session, IdempotentAnswer).values(
        id=row_id, request=request, claim=claim, claimed_until=now + CLAIM_S, created_at=now
    )
    values = ("request", "claim", "claimed_until", "created_at")
    is_dead = IdempotentAnswer.answer.is_(None) & (IdempotentAnswer.claimed_until <= now)
    is_old = IdempotentAnswer.created_at <= now - KEPT_S
    claimed = await session.scalar(
        row.on_conflict_do_update(
            index_elements=[IdempotentAnswer.id],
            set_={name: row.excluded[name] for name in values} | {"status": None, "answer": None},
            where=is_dead | is_old,
        ).returning(IdempotentAnswer.id)
    )
    if claimed is not None:
        return None
    return await session.scalar(select(IdempotentAnswer).where(IdempotentAnswer.id == row_id))


async def keep(session: AsyncSession, row_id: str, claim: str, status: int, answer: str) -> bool:
    """Keep the answer, in the transaction that creates the object.

    Return False if the claim was taken over: the transaction must not commit.
    """
    kept = await session.scalar(
        update(IdempotentAnswer)
        .where(
            IdempotentAnswer.id == row_id,
            IdempotentAnswer.claim == claim,
            IdempotentAnswer.answer.is_(None),
        )
        .values(status=status, answer=answer)
        .returning(IdempotentAnswer.id)
    )
    return kept is not None


async def release(session: AsyncSession, row_id: str, claim: str) -> None:
    """Give a claim up, unless its answer was kept."""
    await session.execute(
        delete(IdempotentAnswer).where(
            IdempotentAnswer.id == row_id,
            IdempotentAnswer.claim == claim,
            IdempotentAnswer.answer.is_(None),
        )
    )


async def delete_old(session: AsyncSession, now: int) -> None:
    """Delete what is no longer kept."""
    await session.execute(
        delete(IdempotentAnswer).where(IdempotentAnswer.created_at <= now - KEPT_S)
    )
