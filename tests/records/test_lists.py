"""Operators' lists: order and pagination, on each database."""

from typing import get_args

import pytest

from daypass.domain.key_format import mint
from daypass.records import accounts, api_keys, audit
from daypass.records.accounts import PersonSort
from daypass.records.api_keys import KeySort
from daypass.records.audit import AuditSort
from daypass.records.database import Database

PEOPLE = ("b@example.org", "a@example.org", "d@example.org", "c@example.org", "e@example.org")


@pytest.fixture
async def filled(database: Database) -> Database:
    """Five people who signed up within the same second, with up to four keys each."""
    async with database.write() as session:
        for number, email in enumerate(PEOPLE):
            person = await accounts.create(session, email, "hash", 1)
            person.role = accounts.OPERATOR if email == "d@example.org" else accounts.MEMBER
            person.disabled_at = 5 if email == "a@example.org" else None
            for slot in range(number):
                key = await api_keys.create(
                    session, person.id, mint(),
                    name=f"key {slot}", usage_plan_id="p", max_keys=9, now=1,
                )  # fmt: skip
                key.last_used_at = 100 + number if slot else None
            audit.add(session, person, "signed up", f"subject {number % 2}", now=number)
    return database


async def people(database: Database, sort: PersonSort, *, descending: bool) -> str:
    async with database.read() as session:
        rows, total = await accounts.search(session, "", 0, 0, 50, sort=sort, descending=descending)
    assert total == len(PEOPLE)
    return "".join(row.account.email[0] for row in rows)


async def test_people_are_sorted_by_each_column(filled: Database) -> None:
    assert await people(filled, "email", descending=False) == "abcde"
    assert await people(filled, "email", descending=True) == "edcba"
    assert await people(filled, "keys", descending=True) == "ecdab"
    by_state = await people(filled, "state", descending=False)
    assert (by_state[0], by_state[-1]) == ("d", "a")


async def test_keys_that_were_never_used_come_last(filled: Database) -> None:
    async with filled.read() as session:
        rows, total = await api_keys.search(
            session, "", 0, 50, sort="last_used_at", descending=True
        )
    used = [key.last_used_at for key, _ in rows]
    assert (len(rows), total) == (10, 10)
    assert used == [104] * 3 + [103] * 2 + [102] + [None] * 4


async def test_each_row_is_on_exactly_one_page(filled: Database) -> None:
    seen: list[str] = []
    async with filled.read() as session:
        for sort in get_args(PersonSort):
            for offset in range(0, len(PEOPLE), 2):
                rows, _ = await accounts.search(session, "", 0, offset, 2, sort=sort)
                seen += [f"{sort} {row.account.id}" for row in rows]
        for key_sort in get_args(KeySort):
            for offset in range(0, 10, 3):
                keys, _ = await api_keys.search(session, "", offset, 3, sort=key_sort)
                seen += [f"{key_sort} {key.id}" for key, _ in keys]
        for audit_sort in get_args(AuditSort):
            for offset in range(0, len(PEOPLE), 2):
                entries = await audit.search(session, "", offset, 2, sort=audit_sort)
                seen += [f"{audit_sort} {entry.id}" for entry in entries]
        in_order, _ = await accounts.search(session, "", 0, 0, 50)
    assert len(seen) == len(set(seen)) == 5 * 5 + 5 * 10 + 4 * 5
    # Rows with equal values are in the order of their ids.
    ids = [row.account.id for row in in_order]
    assert ids == sorted(ids, reverse=True)
