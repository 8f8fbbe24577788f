"""`daypass doctor`: find what is wrong with this installation and say what to do."""

import os
import time
from collections.abc import Collection

from sqlalchemy.engine import make_url

from daypass.app.enforcement import open_enforcer
from daypass.app.startup import check_ledger, make_clock, sharing_warning
from daypass.cli.doctor_sign_in import examine_sign_in
from daypass.cli.doctor_upstream import examine_upstreams
from daypass.cli.finding import Finding, duration
from daypass.config.settings import Settings, SettingsError, load_settings
from daypass.domain.plans import UsagePlan
from daypass.enforcement.base import EnforcerError
from daypass.enforcement.current_policy import current_policy
from daypass.gateway.path_settings import check_path_settings
from daypass.portal.pages import PAGES
from daypass.quota.ledger import LedgerUnavailableError
from daypass.quota.sqlite import clock
from daypass.records.database import Database, DatabaseUnavailableError
from daypass.records.schema import NoDatabaseError
from daypass.records.schema import check as check_tables

CLOCK_TOLERANCE_S = 90
"""The ledger's clock counts whole minutes, so it may be one ahead."""


async def examine() -> list[Finding]:
    """Check settings, site, database, ledger and upstreams."""
    try:
        settings = load_settings()
        check_path_settings(settings)
    except SettingsError as error:
        advice = "Correct it in the environment or in daypass.toml."
        return [Finding("settings", False, str(error), advice)]
    plans = await read_plans(settings)
    return [
        Finding("settings", True, f"usage plans: {', '.join(plan.id for plan in plans)}"),
        _examine_site(),
        *await _examine_stores(settings),
        *await _examine_enforcer(settings),
        *await examine_upstreams(settings, plans),
        *_examine_stored_objects(settings),
        *await examine_sign_in(settings),
    ]


async def read_plans(settings: Settings) -> Collection[UsagePlan]:
    """Return the site's plans, or those it begins with while its database cannot be read."""
    if settings.enforcer == "aws":
        return settings.usage_plans
    database = Database(settings.database_address)
    try:
        await check_tables(settings.database_address)
        async with database.read() as session:
            return (await current_policy(session, settings)).plans.values()
    except DatabaseUnavailableError:
        return settings.usage_plans
    finally:
        await database.close()


def _examine_site() -> Finding:
    if (PAGES / "index.html").is_file():
        return Finding("site", True, "built")
    return Finding("site", False, "not built", "In a checkout, run 'make run' once.")


async def _examine_stores(settings: Settings) -> list[Finding]:
    return [
        await _examine_database(settings),
        *await _examine_ledger(settings),
        *_examine_sharing(settings),
    ]


async def _examine_database(settings: Settings) -> Finding:
    where = make_url(settings.database_address).render_as_string(hide_password=True)
    try:
        await check_tables(settings.database_address)
    except NoDatabaseError:
        return _examine_place(settings, where)
    except DatabaseUnavailableError as error:
        advice = "Check DAYPASS_DATA_DIR (writable, with room?) or DAYPASS_DATABASE_URL."
        return Finding("database", False, str(error), advice)
    return Finding("database", True, where)


async def _examine_ledger(settings: Settings) -> list[Finding]:
    name = _ledger_name(settings)
    is_file = settings.enforcer == "embedded" and settings.redis_url is None
    if is_file and not settings.ledger_path.is_file():
        return []  # It is created with the database, or beside it.
    try:
        await check_ledger(settings)
    except LedgerUnavailableError as error:
        advice = "Check DAYPASS_DATA_DIR (writable, with room?) or DAYPASS_REDIS_URL."
        return [Finding("ledger", False, str(error), advice)]
    except (EnforcerError, SettingsError):
        pass  # `_examine_enforcer` reports it.
    return [Finding("ledger", True, name), *(_examine_clock(settings) if is_file else ())]


def _examine_clock(settings: Settings) -> list[Finding]:
    ahead_s = clock.lead_s(settings.ledger_path, make_clock(settings)())
    if ahead_s < CLOCK_TOLERANCE_S:
        return []
    return [
        Finding(
            "clock",
            False,
            f"the ledger has counted at a later time: it is {duration(ahead_s)} ahead of this "
            "machine's clock, and windows end by its own",
            "If this machine's clock is right, run 'daypass clock reset'.",
        )
    ]


def _examine_place(settings: Settings, where: str) -> Finding:
    """Check the directory of a database that does not exist yet."""
    directory = settings.data_dir.absolute()
    parent = next(path for path in (directory, *directory.parents) if path.exists())
    if not parent.is_dir() or not os.access(parent, os.W_OK | os.X_OK):
        return Finding("database", False, f"{parent} cannot be written", "Check DAYPASS_DATA_DIR.")
    advice = "'daypass serve' creates it. If there should be one, check DAYPASS_DATA_DIR."
    return Finding("database", True, f"none yet: {where}", advice)


def _examine_sharing(settings: Settings) -> list[Finding]:
    if not settings.data_dir.exists():
        return []
    warning = sharing_warning(settings.data_dir)
    return [] if warning is None else [Finding("data directory", True, f"warning: {warning}")]


async def _examine_enforcer(settings: Settings) -> list[Finding]:
    """Check API Gateway's plans, if it enforces. The embedded enforcer is the ledger."""
    if settings.enforcer == "embedded":
        return []
    database = Database(settings.database_address)
    try:
        async with open_enforcer(settings, database, time.time) as enforcer:
            plans = (await enforcer.policy()).plans
    except (EnforcerError, SettingsError) as error:
        reason = error.reason if isinstance(error, EnforcerError) else str(error)
        return [Finding("API Gateway", False, reason, "See docs/aws.md.")]
    finally:
        await database.close()
    if not plans:
        advice = "'daypass aws deploy' makes them; check DAYPASS_AWS_STAGE."
        return [Finding("API Gateway", False, "the stage has no usage plans", advice)]
    return [Finding("API Gateway", True, f"usage plans: {', '.join(plans)}")]


def _ledger_name(settings: Settings) -> str:
    if settings.enforcer == "aws":
        return "API Gateway counts"
    return str(settings.ledger_path) if settings.redis_url is None else "Redis"


def _examine_stored_objects(settings: Settings) -> list[Finding]:
    if settings.stored_objects != "shared":
        return []
    return [
        Finding(
            "stored objects",
            True,
            "warning: shared, so that every key can read and delete everybody's files and batches",
            "Set DAYPASS_STORED_OBJECTS=per-account, unless all of these people trust each other.",
        )
    ]
