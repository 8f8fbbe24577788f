"""`daypass aws …`: create a working stage from AWS credentials, and remove it."""

import asyncio
import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import urlsplit

import typer

from daypass.cli.output import AsJson, fail, print_json, print_rows
from daypass.config.file import config_path
from daypass.config.settings import Settings, load_settings
from daypass.records.database import Database
from daypass.records.schema import with_database

# boto3 is slow to import, so only these commands import it, and only when they run.
if TYPE_CHECKING:
    from daypass.enforcement.aws.client import ApiGateway
    from daypass.enforcement.aws.stack import Stack, Step

aws_app = typer.Typer(help="AWS API Gateway as the enforcer.", no_args_is_help=True)

StackName = Annotated[str, typer.Option("--stack", help="Name of the CloudFormation stack.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


@aws_app.command()
def deploy(
    origin: Annotated[
        str | None,
        typer.Option(help="Address at which AWS reaches this server; DAYPASS_PUBLIC_URL if unset."),
    ] = None,
    stack: StackName = "daypass",
    print_template: Annotated[
        bool, typer.Option("--print-template", help="Print the template and do nothing.")
    ] = False,
) -> None:
    """Create or update the API, its stage and its usage plans."""
    from daypass.enforcement.aws.secret import make_gateway_secret  # noqa: PLC0415
    from daypass.enforcement.aws.template import build_template  # noqa: PLC0415

    settings = load_settings()
    with _aws_errors():
        if print_template:
            print_json(build_template(settings.usage_plans, settings.aws_stage))
            return
        address = _origin(origin or settings.public_url, settings)
        secret = make_gateway_secret(settings)
        there = _stack(settings, stack)
        fingerprint = hashlib.sha256(f"{address} {secret}".encode()).hexdigest()[:16]
        template = build_template(settings.usage_plans, settings.aws_stage, fingerprint)
        _check_plans_to_remove(settings, there)
        typer.echo(f"Stack {stack}: API Gateway in front of {address}")
        _follow(there.deploy(template, {"Origin": address, "GatewaySecret": secret}))
        outputs = there.outputs()
    typer.echo(f"\nReady: {outputs.get('BaseUrl')}\nStart the server with these settings:\n")
    typer.echo("  DAYPASS_ENFORCER=aws")
    typer.echo(f"  DAYPASS_AWS_REST_API_ID={outputs.get('RestApiId')}")
    if settings.aws_stage != "v1":
        typer.echo(f"  DAYPASS_AWS_STAGE={settings.aws_stage}")
    if settings.aws_gateway_secret is None:
        typer.echo("\nThe secret between the two is in the data directory; on another machine set")
        typer.echo("DAYPASS_AWS_GATEWAY_SECRET to it.")


@aws_app.command()
def status(stack: StackName = "daypass", as_json: AsJson = False) -> None:
    """Show the stack, the stage, its usage plans and how many keys each has."""
    settings = load_settings()
    with _aws_errors():
        found = _stack(settings, stack).describe()
        api = _api(settings, stack)
        plans = asyncio.run(_plan_rows(api, settings)) if api else []
    report = {
        "stack": found["StackStatus"] if found else None,
        "rest_api_id": api.rest_api_id if api else None,
        "stage": settings.aws_stage,
        "base_url": settings.aws_base_url or (api.base_url if api else None),
        "enforcer": settings.enforcer,
    }
    if as_json:
        print_json(report | {"usage_plans": plans})
        return
    for name, value in report.items():
        typer.echo(f"{name:<12} {value or '-'}")
    typer.echo("")
    print_rows(plans, as_json=False)
    if api is None:
        typer.echo("There is no API yet: 'daypass aws deploy' makes one.")


@aws_app.command()
def sync(
    to: Annotated[
        Literal["aws", "toml"],
        typer.Option(help="Which side is changed: API Gateway, or daypass.toml."),
    ] = "aws",
    yes: Yes = False,
    as_json: AsJson = False,
    stack: StackName = "daypass",
) -> None:
    """Show how plans and keys differ between Daypass and API Gateway, and reconcile them."""
    from daypass.enforcement.aws.sync import compare_plans, find_strays, pull_plans, read_there  # noqa: PLC0415

    settings = load_settings()
    with _aws_errors():
        api = _needed_api(settings, stack)
        here = settings.usage_plans
        there = asyncio.run(read_there(api, here))
        differences = compare_plans(here, there)
        strays = with_database(
            settings.database_address, lambda database: find_strays(api, database)
        )
        if as_json:
            plan_rows = [x._asdict() for x in differences]
            print_json({"usage_plans": plan_rows, "keys": [x._asdict() for x in strays]})
            return
        if not differences and not strays:
            typer.echo("Usage plans and keys are the same here and at API Gateway.")
            return
        if differences:
            print_rows([x._asdict() for x in differences], as_json=False)
        if strays:
            print_rows([x._asdict() for x in strays], as_json=False)
        what = "API Gateway" if to == "aws" else str(config_path())
        if not yes and not typer.confirm(f"Change {what}?"):
            return
        if to == "toml":
            pull_plans(config_path(), here, there)
            typer.echo(f"{config_path()} has the plans of API Gateway.")
            return
        unknown = [x.aws_key_id for x in strays if x.is_there_only]
        _push(settings, api, _stack(settings, stack), unknown)


@aws_app.command()
def destroy(stack: StackName = "daypass", yes: Yes = False) -> None:
    """Delete the keys that Daypass created, and the stack with the API and its plans."""
    settings = load_settings()
    with _aws_errors():
        there = _stack(settings, stack)
        if there.describe() is None:
            fail(f"there is no stack {stack}; see 'daypass aws status'")
        api = _api(settings, stack)
        keys = asyncio.run(api.keys()) if api else []
        question = f"Delete the stack {stack}, its API, its usage plans and {len(keys)} API keys?"
        if not yes and not typer.confirm(question):
            return
        if api:
            asyncio.run(_delete_keys(api, [key["id"] for key in keys], "gone"))
        _follow(there.delete())
    typer.echo("Gone. With DAYPASS_ENFORCER=embedded Daypass enforces by itself; keys stay valid.")


@aws_app.command()
def policy(
    for_: Annotated[
        Literal["serve", "deploy"],
        typer.Option("--for", help="The server, or the commands here beside it."),
    ] = "serve",
    stack: StackName = "daypass",
    region: Annotated[str, typer.Option(envvar=["AWS_REGION", "AWS_DEFAULT_REGION"])] = "*",
) -> None:
    """Print the IAM policy that Daypass needs."""
    from daypass.enforcement.aws.policy import deploying_policy, serving_policy  # noqa: PLC0415

    print_json(serving_policy(region) if for_ == "serve" else deploying_policy(region, stack))


@aws_app.command()
def verify() -> None:
    """Test the stage with a temporary key: limit, counting, streaming. Takes some minutes."""
    from daypass.enforcement.aws.components import AwsComponents  # noqa: PLC0415
    from daypass.enforcement.aws.verify import SETTLE_S, Verification  # noqa: PLC0415

    settings = load_settings()
    if settings.enforcer != "aws":
        fail("set DAYPASS_ENFORCER=aws and DAYPASS_AWS_REST_API_ID first, and start the server")

    async def run(database: Database) -> bool:
        well = True
        parts = AwsComponents(settings, database, time.time)
        settle_s = 0 if settings.aws_endpoint_url else SETTLE_S
        async for seen in Verification(parts, database, settle_s).run():
            typer.echo(f"{'ok  ' if seen.ok else 'FAIL'} {seen.what}: {seen.found}")
            well = well and seen.ok
        return well

    with _aws_errors():
        if not with_database(settings.database_address, run):
            raise typer.Exit(1)


@contextmanager
def _aws_errors() -> Iterator[None]:
    """Exit with one line for an AWS error or a wrong setting."""
    from daypass.enforcement.aws.plans import PlanNotPossibleError  # noqa: PLC0415
    from daypass.enforcement.aws.stack import StackError  # noqa: PLC0415

    try:
        yield
    except (StackError, PlanNotPossibleError) as error:
        fail(str(error))


def _origin(address: str | None, settings: Settings) -> str:
    if address is None:
        fail("where does AWS reach this server? Say --origin https://… or set DAYPASS_PUBLIC_URL")
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query:
        fail(f"{address} is not an address, such as https://daypass.example.org")
    if parts.scheme != "https" and settings.aws_endpoint_url is None:
        fail(f"{address}: it must be https, for the secret between API Gateway and this server")
    return address.rstrip("/")


def _stack(settings: Settings, name: str) -> "Stack":
    from daypass.enforcement.aws.client import make_client  # noqa: PLC0415
    from daypass.enforcement.aws.stack import Stack  # noqa: PLC0415

    return Stack(make_client("cloudformation", settings), name)


def _api(settings: Settings, stack: str) -> "ApiGateway | None":
    """Return the API in the settings, else the stack's."""
    from daypass.enforcement.aws.client import ApiGateway, make_client  # noqa: PLC0415

    rest_api_id = settings.aws_rest_api_id or _stack(settings, stack).outputs().get("RestApiId")
    if rest_api_id is None:
        return None
    return ApiGateway(make_client("apigateway", settings), rest_api_id, settings.aws_stage)


def _needed_api(settings: Settings, stack: str) -> "ApiGateway":
    api = _api(settings, stack)
    if api is None:
        fail("there is no API yet: 'daypass aws deploy' makes one")
    return api


async def _plan_rows(api: "ApiGateway", settings: Settings) -> list[dict[str, Any]]:
    from daypass.enforcement.aws.sync import read_there  # noqa: PLC0415

    return [
        {
            "id": plan_id,
            "limits": held.plan.limits,
            "keys": len(await api.key_ids_of(held.aws_id)),
        }
        for plan_id, held in (await read_there(api, settings.usage_plans)).items()
    ]


def _check_plans_to_remove(settings: Settings, stack: "Stack") -> None:
    """Refuse to remove a plan that has keys: they would stop working."""
    api = _api(settings, stack.name)
    known = {plan.id for plan in settings.usage_plans}
    for row in asyncio.run(_plan_rows(api, settings)) if api else ():
        if row["id"] not in known and row["keys"]:
            fail(
                f"usage plan {row['id']} is not in {config_path()} but has {row['keys']} keys: "
                "'daypass aws sync --to toml' writes it there; or move its keys first"
            )


def _push(settings: Settings, api: "ApiGateway", stack: "Stack", stray_keys: list[str]) -> None:
    from daypass.enforcement.aws.sync import UPDATE_EVERY_S, push_plans  # noqa: PLC0415
    from daypass.enforcement.aws.template import build_template  # noqa: PLC0415

    if stack.describe() is not None:
        fingerprint = stack.fingerprint()
        template = build_template(settings.usage_plans, settings.aws_stage, fingerprint)
        _check_plans_to_remove(settings, stack)
        _follow(stack.deploy(template, {"Origin": None, "GatewaySecret": None}))
    pause_s = 0 if settings.aws_endpoint_url else UPDATE_EVERY_S

    async def bring_together() -> None:
        await push_plans(api, settings.usage_plans, typer.echo, pause_s)
        await _delete_keys(api, stray_keys, "deleted: no account has it")

    asyncio.run(bring_together())


async def _delete_keys(api: "ApiGateway", key_ids: list[str], outcome: str) -> None:
    for key_id in key_ids:
        await api.delete_key(key_id)
        typer.echo(f"key {key_id} {outcome}")


def _follow(steps: "Iterator[Step]") -> None:
    for step in steps:
        typer.echo(f"  {step}")
