"""The client, the enforcer and the stack on two control planes over HTTP: moto and ministack."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncSession
from tests.support.aws_server import client_of
from tests.support.ministack import Ministack
from tests.support.moto import Moto

from daypass.domain import key_format
from daypass.domain.plans import DEFAULT_PLANS
from daypass.enforcement.aws.background_jobs import BackgroundJobs
from daypass.enforcement.aws.catalogue import Catalogue
from daypass.enforcement.aws.client import ApiGateway
from daypass.enforcement.aws.enforcer import ApiGatewayEnforcer
from daypass.enforcement.aws.errors import AwsError
from daypass.enforcement.aws.stack import Stack, StackError
from daypass.enforcement.aws.sync import find_strays
from daypass.enforcement.aws.template import build_template
from daypass.enforcement.aws.usage import Use
from daypass.enforcement.base import EnforcerError
from daypass.records import accounts, api_keys
from daypass.records.database import Database, DatabaseUnavailableError
from daypass.records.schema import upgrade
from daypass.records.tables import ApiKey

TEN, TWENTY, THIRTY = DEFAULT_PLANS
PARAMETERS: dict[str, str | None] = {
    "Origin": "https://daypass.example.org",
    "GatewaySecret": "s" * 30,
}


@pytest.fixture(params=["moto", "ministack"])
def client(request: pytest.FixtureRequest) -> Any:
    server: Moto | Ministack = request.getfixturevalue(request.param)
    return client_of(server.url)


@pytest.fixture
def knows_its_plans(request: pytest.FixtureRequest) -> None:
    if request.node.callspec.params["client"] == "moto":
        pytest.skip("moto puts a key into a plan that is not there")


@pytest.fixture
async def api(client: Any) -> ApiGateway:
    rest_api_id = client.create_rest_api(name="daypass")["id"]
    root = client.get_resources(restApiId=rest_api_id)["items"][0]["id"]
    at = {"restApiId": rest_api_id, "resourceId": root, "httpMethod": "GET"}
    client.put_method(**at, authorizationType="NONE")
    client.put_integration(**at, type="MOCK")
    client.create_deployment(restApiId=rest_api_id, stageName="v1")
    api = ApiGateway(client, rest_api_id, "v1")
    for plan in DEFAULT_PLANS:
        await api.create_usage_plan(plan)
    return api


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    url = f"sqlite:///{tmp_path}/daypass.db"
    await upgrade(url)
    database = Database(url)
    yield database
    await database.close()


@pytest.fixture
async def account_id(database: Database) -> str:
    async with database.write() as session:
        return (await accounts.create(session, "a@example.org", "hash", 1)).id


@pytest.fixture
def enforcer(api: ApiGateway, database: Database) -> ApiGatewayEnforcer:
    async def nothing_gathered() -> None:
        pass

    catalogue = Catalogue(api, DEFAULT_PLANS)
    use = Use(database, api, catalogue, time.time)
    return ApiGatewayEnforcer(
        api, catalogue, use, database, time.time, write_usage=nothing_gathered
    )


def keeper_at(at: float, database: Database, enforcer: ApiGatewayEnforcer) -> BackgroundJobs:
    keeper = BackgroundJobs(database, "http://127.0.0.1:1", lambda: at)
    keeper.enforcer = enforcer
    return keeper


async def recorded(database: Database, account_id: str) -> list[ApiKey]:
    async with database.read() as session:
        return await api_keys.list_of(session, account_id)


def keys_of(client: Any, api: ApiGateway) -> list[dict[str, Any]]:
    keys = client.get_api_keys(includeValues=True, limit=500)["items"]
    return [key for key in keys if key.get("tags", {}).get("daypass:api") == api.rest_api_id]


async def delete_plan(client: Any, api: ApiGateway, name: str) -> None:
    (aws_id,) = [x["id"] for x in await api.usage_plans() if x["name"] == name]
    client.delete_usage_plan(usagePlanId=aws_id)


def plan_of(client: Any, key_id: str) -> list[str]:
    return [
        plan["name"]
        for plan in client.get_usage_plans(limit=500)["items"]
        if key_id in {x["id"] for x in client.get_usage_plan_keys(usagePlanId=plan["id"])["items"]}
    ]


async def test_plans_are_read_from_api_gateway(
    enforcer: ApiGatewayEnforcer, api: ApiGateway, client: Any
) -> None:
    client.create_usage_plan(name="of another stage")
    plans = (await enforcer.policy()).plans
    assert list(plans.values()) == list(DEFAULT_PLANS)
    (ten,) = [x["id"] for x in await api.usage_plans() if x["name"] == TEN.id]
    await api.update_usage_plan(ten, THIRTY)
    (changed,) = [x for x in await api.usage_plans() if x["id"] == ten]
    assert int(changed["quota"]["limit"]) == 30


async def test_a_key_is_created_at_api_gateway_and_recorded(
    enforcer: ApiGatewayEnforcer, client: Any, database: Database, account_id: str, api: ApiGateway
) -> None:
    issued = await enforcer.create_key(account_id, "laptop", TEN)
    assert key_format.is_well_formed(issued.secret)
    (there,) = keys_of(client, api)
    assert (there["value"], there["name"], there["enabled"]) == (issued.secret, "laptop", True)
    assert there["tags"]["daypass:account"] == account_id
    assert plan_of(client, there["id"]) == [TEN.id]
    (here,) = await recorded(database, account_id)
    assert (here.aws_key_id, here.last4) == (there["id"], issued.secret[-4:])
    with pytest.raises(api_keys.TooManyKeysError):
        await enforcer.create_key(account_id, "another", TEN)
    assert len(keys_of(client, api)) == 1


@pytest.mark.usefixtures("knows_its_plans")
async def test_no_key_is_left_if_the_plan_was_deleted(
    enforcer: ApiGatewayEnforcer, client: Any, database: Database, account_id: str, api: ApiGateway
) -> None:
    await enforcer.policy()
    for plan in DEFAULT_PLANS:
        await delete_plan(client, api, plan.id)
    with pytest.raises(EnforcerError, match="no longer offered") as caught:
        await enforcer.create_key(account_id, "laptop", TEN)
    assert (caught.value.status, caught.value.about) == (409, "usage_plan_id")
    assert keys_of(client, api) == []
    assert await recorded(database, account_id) == []
    assert (await enforcer.policy()).plans == {}


async def test_no_key_is_left_if_it_cannot_be_recorded(
    enforcer: ApiGatewayEnforcer,
    client: Any,
    api: ApiGateway,
    database: Database,
    account_id: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def away(*_: Any, **__: Any) -> Any:
        raise DatabaseUnavailableError("the database does not answer")

    monkeypatch.setattr(api_keys, "create", away)
    with pytest.raises(DatabaseUnavailableError):
        await enforcer.create_key(account_id, "laptop", TEN)
    assert keys_of(client, api) == []


@pytest.mark.usefixtures("knows_its_plans")
async def test_a_failed_move_leaves_the_key_in_its_plan(
    enforcer: ApiGatewayEnforcer, client: Any, database: Database, account_id: str, api: ApiGateway
) -> None:
    key = (await enforcer.create_key(account_id, "laptop", THIRTY)).key
    await delete_plan(client, api, TEN.id)
    with pytest.raises(EnforcerError, match="no longer offered"):
        await enforcer.change_key(key, "laptop", TEN)
    assert plan_of(client, key.aws_key_id or "") == [THIRTY.id]
    assert (await recorded(database, account_id))[0].usage_plan_id == THIRTY.id


async def test_an_unrecorded_change_is_undone_at_api_gateway(
    enforcer: ApiGatewayEnforcer, client: Any, database: Database, account_id: str
) -> None:
    key = (await enforcer.create_key(account_id, "laptop", THIRTY)).key
    aws_id = key.aws_key_id or ""

    async def fail(_session: AsyncSession) -> None:
        raise LookupError

    for plan in (TEN, None):
        with pytest.raises(LookupError):
            await enforcer.change_key(key, "desk", plan, fail)
    with pytest.raises(LookupError):
        await enforcer.set_account_enabled(account_id, False, fail)
    with pytest.raises(LookupError):
        await enforcer.delete_keys([key], fail)
    there = client.get_api_key(apiKey=aws_id)
    assert (there["name"], there["enabled"]) == ("laptop", True)
    assert plan_of(client, aws_id) == [THIRTY.id]
    (here,) = await recorded(database, account_id)
    assert (here.name, here.usage_plan_id) == ("laptop", THIRTY.id)


async def test_keys_are_renamed_moved_rotated_disabled_and_deleted(
    enforcer: ApiGatewayEnforcer, client: Any, database: Database, account_id: str, api: ApiGateway
) -> None:
    key = (await enforcer.create_key(account_id, "laptop", THIRTY)).key
    aws_id = key.aws_key_id or ""
    changed = await enforcer.change_key(key, "desk", TEN)
    assert (changed.name, changed.usage_plan_id) == ("desk", TEN.id)
    assert client.get_api_key(apiKey=aws_id)["name"] == "desk"
    assert plan_of(client, aws_id) == [TEN.id]
    await enforcer.set_account_enabled(account_id, False)
    assert client.get_api_key(apiKey=aws_id)["enabled"] is False
    await enforcer.set_account_enabled(account_id, True)
    rotated = await enforcer.rotate_key(changed, 0)
    assert rotated.key.id == key.id
    (there,) = keys_of(client, api)
    assert there["id"] == rotated.key.aws_key_id != aws_id
    assert there["value"] == rotated.secret
    await enforcer.delete_keys([rotated.key])
    assert keys_of(client, api) == []
    assert await recorded(database, account_id) == []


async def test_a_key_deleted_at_aws_can_be_rotated_and_deleted(
    enforcer: ApiGatewayEnforcer, client: Any, database: Database, account_id: str, api: ApiGateway
) -> None:
    key = (await enforcer.create_key(account_id, "laptop", TEN)).key
    client.delete_api_key(apiKey=key.aws_key_id)
    (stray,) = await find_strays(api, database)
    assert (stray.what, stray.api_key_id) == ("only here", key.id)
    rotated = (await enforcer.rotate_key(key, 0)).key
    assert await find_strays(api, database) == []
    client.delete_api_key(apiKey=rotated.aws_key_id)
    await enforcer.delete_keys([rotated])
    assert await recorded(database, account_id) == []


async def test_keys_left_by_a_crash_are_found(
    api: ApiGateway, database: Database, client: Any
) -> None:
    left = await api.create_key("laptop", "x" * 30, "acc_gone")
    client.create_api_key(name="somebody else's")
    assert await find_strays(api, database) == []
    (stray,) = await find_strays(api, database, settled_s=-10)
    assert (stray.what, stray.aws_key_id, stray.account_id) == (
        "only at API Gateway",
        left,
        "acc_gone",
    )


async def test_a_rejected_key_format_is_replaced(
    enforcer: ApiGatewayEnforcer, account_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = ApiGateway.create_key

    async def without_underscores(self: ApiGateway, name: str, secret: str, account_id: str) -> str:
        if "_" in secret:
            reason = "CreateApiKey: BadRequestException: API key value is not alphanumeric"
            raise AwsError("BadRequestException", "no", reason=reason, status=422)
        return await create(self, name, secret, account_id)

    monkeypatch.setattr(ApiGateway, "create_key", without_underscores)
    secret = (await enforcer.create_key(account_id, "laptop", TEN)).secret
    assert secret.startswith("dp")
    assert secret.isalnum()
    assert len(secret) == 40


async def test_a_due_plan_change_is_applied_exactly_once(
    enforcer: ApiGatewayEnforcer, client: Any, database: Database, account_id: str, api: ApiGateway
) -> None:
    key = (await enforcer.create_key(account_id, "laptop", TEN)).key
    waiting = await enforcer.change_key(key, "laptop", TWENTY)
    assert (waiting.usage_plan_id, waiting.next_usage_plan_id) == (TEN.id, TWENTY.id)
    tomorrow = (waiting.next_plan_at or 0) + 1.0
    for at, plan in ((tomorrow - 60, TEN), (tomorrow, TWENTY)):
        keepers = [keeper_at(at, database, enforcer) for _ in range(3)]
        await asyncio.gather(*(keeper.move_due() for keeper in keepers))
        assert plan_of(client, key.aws_key_id or "") == [plan.id]
    (moved,) = await recorded(database, account_id)
    assert (moved.usage_plan_id, moved.next_usage_plan_id, moved.next_plan_at) == (
        TWENTY.id,
        None,
        None,
    )


@pytest.mark.usefixtures("knows_its_plans")
async def test_a_pending_change_to_a_deleted_plan_is_dropped(
    enforcer: ApiGatewayEnforcer, client: Any, database: Database, account_id: str, api: ApiGateway
) -> None:
    key = (await enforcer.create_key(account_id, "laptop", TEN)).key
    waiting = await enforcer.change_key(key, "laptop", TWENTY)
    await delete_plan(client, api, TWENTY.id)
    await keeper_at(waiting.next_plan_at or 0, database, enforcer).move_due()
    (kept,) = await recorded(database, account_id)
    assert (kept.usage_plan_id, kept.next_usage_plan_id) == (TEN.id, None)
    assert plan_of(client, key.aws_key_id or "") == [TEN.id]


async def test_existing_keys_must_be_reduced_to_one(
    enforcer: ApiGatewayEnforcer, database: Database, account_id: str
) -> None:
    for name in ("one", "two"):
        async with database.write() as session:
            await api_keys.create(
                session,
                account_id,
                key_format.mint(),
                name=name,
                usage_plan_id=TEN.id,
                max_keys=3,
                now=1,
            )
    one, two = await recorded(database, account_id)
    with pytest.raises(EnforcerError, match="Rotate it"):
        await enforcer.change_key(one, "new name", None)
    await enforcer.rotate_key(one, 0)
    with pytest.raises(EnforcerError, match="delete the other one first"):
        await enforcer.rotate_key(two, 0)
    await enforcer.delete_keys([two])


async def test_plans_stay_known_while_aws_is_unavailable(api: ApiGateway) -> None:
    away = client_of("http://127.0.0.1:1")
    away.meta.config.retries = {"total_max_attempts": 1}
    catalogue = Catalogue(api, DEFAULT_PLANS)
    known = await catalogue.plans()
    api._client = away
    catalogue.invalidate()
    assert await catalogue.plans() == known
    with pytest.raises(AwsError) as caught:
        await Catalogue(api, DEFAULT_PLANS).plans()
    assert "AWS does not answer" in caught.value.reason


def test_a_stack_is_created_and_removed(moto: Moto) -> None:
    moto.forget()
    stack = Stack(client_of(moto.url, "cloudformation"), "daypass")
    assert stack.describe() is None
    assert list(stack.delete()) == []
    template = build_template(DEFAULT_PLANS, "v1", "one")
    # moto has no MOCK integration in a stack; test_commands tests the whole stack with ministack.
    del template["Resources"]["OptionsMethod"]
    for resource in template["Resources"].values():
        resource.pop("DependsOn", None)
    steps = list(stack.deploy(template, PARAMETERS))
    assert steps[-1].status == "CREATE_COMPLETE"
    outputs = stack.outputs()
    apis = client_of(moto.url)
    assert apis.get_rest_apis()["items"][0]["id"] == outputs["RestApiId"]
    (proxy,) = [
        x
        for x in apis.get_resources(restApiId=outputs["RestApiId"])["items"]
        if x["path"] == "/{proxy+}"
    ]
    assert proxy["resourceMethods"]["ANY"]["apiKeyRequired"] is True
    assert list(stack.delete())[-1].status == "DELETE_COMPLETE"
    assert stack.describe() is None


def test_a_failed_deploy_names_the_resource_and_leaves_nothing(ministack: Ministack) -> None:
    cloud = client_of(ministack.url, "cloudformation")
    stack = Stack(cloud, f"broken-{uuid4().hex[:8]}")
    template = build_template(DEFAULT_PLANS, "v1", "one")
    template["Resources"]["ResponseThrottled"]["Properties"]["ResponseType"] = "NO_SUCH"
    with pytest.raises(StackError, match=r"ResponseThrottled \(AWS::ApiGateway::Gateway.*NO_SUCH"):
        list(stack.deploy(template, PARAMETERS))
    assert stack.describe() is None
    good = build_template(DEFAULT_PLANS, "v1", "one")
    assert list(stack.deploy(good, PARAMETERS))[-1].status == "CREATE_COMPLETE"
    with pytest.raises(StackError, match="NO_SUCH"):
        list(stack.deploy(template, PARAMETERS))
    assert list(stack.deploy(good, PARAMETERS)) == []
    list(stack.delete())
