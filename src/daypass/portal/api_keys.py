"""/api/api-keys: create, list, rename, change plan, rotate, delete."""

from dataclasses import replace
from typing import Annotated, Any, Self
from unicodedata import category

from fastapi import APIRouter
from pydantic import AfterValidator, BaseModel, Field, StrictInt
from sqlalchemy.ext.asyncio import AsyncSession

from daypass.domain.plans import UsagePlan, Window
from daypass.domain.times import DAY_S
from daypass.enforcement.base import IssuedKey
from daypass.portal.context import InPortal, Portal, SignedIn
from daypass.portal.idempotency import AccountIdempotency
from daypass.portal.key_options import KeyOptionFields
from daypass.portal.meters import ConcurrentUse, LimitUse, Meter, read_meters
from daypass.portal.problems import NO_SUCH_KEY, ProblemError
from daypass.portal.times import Instant
from daypass.quota.policy import QuotaPolicy
from daypass.records import api_keys
from daypass.records.api_keys import NO_OPTIONS, KeyOptions
from daypass.records.tables import Account, ApiKey

MAX_GRACE_S = 7 * DAY_S

UNCONFIRMED = (
    "Confirm your e-mail address first: open the link in the mail from this site. You can have "
    "the mail sent again."
)

router = APIRouter(tags=["API keys"])


JOINERS = frozenset("\u200c\u200d")
"""Zero-width joiners, which shape Persian and Indic words and join emoji."""
EMOJI_TAGS = frozenset(map(chr, range(0xE0020, 0xE0080)))
"""Tag characters, which form the flags of regions (Unicode Technical Standard 51)."""


def _check_name(value: str) -> str:
    name = value.strip()
    invisible = JOINERS | EMOJI_TAGS
    if not set(name) - invisible - {" "}:
        raise ValueError("give the key a name")
    # str.isprintable() is False for every space except U+0020.
    if not all(x.isprintable() or x in invisible or category(x) == "Zs" for x in name):
        raise ValueError("use printable characters only")
    return name


KeyName = Annotated[str, Field(max_length=80), AfterValidator(_check_name)]


class NewApiKey(KeyOptionFields):
    """A request for an API key."""

    name: KeyName
    usage_plan_id: str


class ApiKeyChange(KeyOptionFields):
    """The fields to change: a new name, another usage plan, other options."""

    name: KeyName | None = None
    usage_plan_id: str | None = None


class Rotation(BaseModel):
    """How long the old secret keeps working, in seconds."""

    grace_seconds: StrictInt = Field(default=0, ge=0, le=MAX_GRACE_S)


class ApiKeyCore(BaseModel):
    """The fields that all views of an API key share."""

    id: str
    prefix: str
    last4: str
    name: str
    usage_plan_id: str
    created_at: Instant
    expires_at: Instant | None = Field(
        description="What its owner chose, or earlier if the usage plan limits a key's lifetime"
    )
    paused: bool
    note: str
    allowed_models: list[str]


class CreatedApiKey(ApiKeyCore):
    """A new API key. `key` is shown only this once."""

    key: str

    @classmethod
    def of(cls, issued: IssuedKey, policy: QuotaPolicy, **more: Any) -> Self:
        """Return the view of a key with its secret."""
        return cls(**core_of(issued.key, policy), key=issued.secret, **more)


class RotatedApiKey(CreatedApiKey):
    """A key with a new secret. The old one works until `previous_valid_until`."""

    previous_valid_until: Instant | None

    @classmethod
    def of(cls, issued: IssuedKey, policy: QuotaPolicy, **more: Any) -> Self:
        """Return the view of a key with its new secret."""
        return super().of(issued, policy, previous_valid_until=issued.previous_valid_until, **more)


class ApiKeyView(ApiKeyCore):
    """An API key and its quota usage.

    `limits` holds every limit that applies to a call with this key, each with its own reset.
    `used`, `limit` and `window` describe the key's tightest quota. `remaining` and `resets_at`
    describe the tightest quota overall, which may be the account's or the site's. All of these
    are about requests: `limits` has tokens and cost too. `concurrent_requests` is null if the plan
    does not limit how many requests may be in progress at once.

    With the `aws` enforcer, `activating` is true until API Gateway admits a new key, and
    `next_usage_plan_id` is the plan that the key moves to at 00:00 UTC.
    """

    last_used_at: Instant | None
    used: int
    limit: int | None
    window: Window | None
    remaining: int | None
    resets_at: Instant | None
    limits: list[LimitUse]
    concurrent_requests: ConcurrentUse | None
    activating: bool
    next_usage_plan_id: str | None

    @classmethod
    def of(cls, meter: Meter, policy: QuotaPolicy, now: int) -> Self:
        """Return the view of a key and its meter. `now` is Unix time in seconds."""
        key = meter.key
        return cls(
            **core_of(key, policy),
            last_used_at=key.last_used_at,
            activating=key.activating_until is not None and key.activating_until > now,
            next_usage_plan_id=key.next_usage_plan_id,
            concurrent_requests=meter.concurrent,
            **meter.figures(),
        )


@router.post("/api-keys", status_code=201)
async def create_api_key(
    new: NewApiKey, account: SignedIn, portal: InPortal, repeat: AccountIdempotency
) -> CreatedApiKey:
    """Create an API key. Only this response contains its secret."""
    if portal.outbox is not None and not account.email_confirmed:
        raise ProblemError(403, UNCONFIRMED)
    policy = await portal.policy()
    plan = _offered_plan(policy, new.usage_plan_id)
    options = new.options(NO_OPTIONS, plan, portal.now())

    async def keep(session: AsyncSession, issued: IssuedKey) -> None:
        await repeat.keep(session, CreatedApiKey.of(issued, policy))

    try:
        issued = await portal.enforcer.create_key(account.id, new.name, plan, options, keep)
    except api_keys.TooManyKeysError as error:
        most = error.most
        message = (
            f"You have {most} API key{'s' if most > 1 else ''}, the most an account may have. "
            "Delete one, or rotate one if you have lost its secret."
        )
        raise ProblemError(409, message) from None
    return CreatedApiKey.of(issued, policy)


@router.get("/api-keys")
async def list_api_keys(account: SignedIn, portal: InPortal) -> list[ApiKeyView]:
    """List the account's API keys with the usage of their limits."""
    await portal.write_usage()
    async with portal.database.read() as session:
        keys = await api_keys.list_of(session, account.id)
    policy, now = await portal.policy(), portal.now()
    return [ApiKeyView.of(meter, policy, now) for meter in await read_meters(portal, keys)]


@router.patch("/api-keys/{api_key_id}")
async def change_api_key(
    api_key_id: str, change: ApiKeyChange, account: SignedIn, portal: InPortal
) -> ApiKeyView:
    """Rename a key, move it to another usage plan, or change its options.

    Its usage today still counts.

    With the `aws` enforcer, a move to a larger plan takes effect at the next 00:00 UTC.
    """
    key = await find(portal, account, api_key_id)
    policy = await portal.policy()
    wanted = change.usage_plan_id
    plan = None
    if wanted == key.usage_plan_id:
        plan = policy.plans.get(wanted)
    elif wanted is not None:
        plan = _offered_plan(policy, wanted)
    current_plan = plan or policy.plans.get(key.usage_plan_id)
    change.options(KeyOptions.of(key), current_plan, portal.now())

    async def set_options(session: AsyncSession) -> None:
        row = await api_keys.find_locked(session, key.id)
        if row is not None:
            change.options(KeyOptions.of(row), current_plan, portal.now()).apply_to(row)

    # Read before the change: a 503 then means that nothing has changed.
    meters = await _meters_by_plan(portal, key, plan)
    changed = await portal.enforcer.change_key(key, change.name or key.name, plan, set_options)
    meter = replace(meters[changed.usage_plan_id], key=changed)
    return ApiKeyView.of(meter, policy, portal.now())


@router.post("/api-keys/{api_key_id}/rotate")
async def rotate_api_key(
    api_key_id: str,
    account: SignedIn,
    portal: InPortal,
    repeat: AccountIdempotency,
    rotation: Rotation | None = None,
) -> RotatedApiKey:
    """Give a key a new secret. Its plan, name and usage today do not change."""
    key = await find(portal, account, api_key_id)
    policy = await portal.policy()
    grace_s = rotation.grace_seconds if rotation else 0

    async def keep(session: AsyncSession, issued: IssuedKey) -> None:
        await repeat.keep(session, RotatedApiKey.of(issued, policy))

    return RotatedApiKey.of(await portal.enforcer.rotate_key(key, grace_s, keep), policy)


@router.delete("/api-keys/{api_key_id}", status_code=204)
async def delete_api_key(api_key_id: str, account: SignedIn, portal: InPortal) -> None:
    """Delete a key. A key created in its place today inherits its usage."""
    await portal.enforcer.delete_keys([await find(portal, account, api_key_id)])


async def find(portal: Portal, account: Account, api_key_id: str) -> ApiKey:
    """Return the account's key. Raises 404 for unknown keys and other accounts' keys alike."""
    async with portal.database.read() as session:
        key = await api_keys.find(session, account.id, api_key_id)
    if key is None:
        raise ProblemError(404, NO_SUCH_KEY)
    return key


def _offered_plan(policy: QuotaPolicy, usage_plan_id: str) -> UsagePlan:
    plan = policy.plans.get(usage_plan_id)
    if plan is None or not plan.self_service:
        message = "This usage plan does not exist or is not on offer."
        raise ProblemError(422, message, field="usage_plan_id")
    return plan


async def _meters_by_plan(portal: Portal, key: ApiKey, plan: UsagePlan | None) -> dict[str, Meter]:
    """Return a key's meters by plan: its own, and the one that it may move to."""
    await portal.write_usage()
    async with portal.database.read() as session:
        keys = await api_keys.list_of(session, key.account_id)
    plan_ids = {key.usage_plan_id, plan.id if plan else key.usage_plan_id}
    return {
        plan_id: meter
        for plan_id in plan_ids
        for meter in await read_meters(portal, keys, {key.id: plan_id})
        if meter.key.id == key.id
    }


def core_of(key: ApiKey, policy: QuotaPolicy) -> dict[str, Any]:
    """Return the values of the `ApiKeyCore` fields."""
    values = {name: getattr(key, name) for name in ApiKeyCore.model_fields}
    plan = policy.plans.get(key.usage_plan_id)
    if plan is not None:
        values["expires_at"] = plan.key_expires_at(key.created_at, key.expires_at)
    return values
