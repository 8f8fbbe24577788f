"""`daypass clock`: the ledger's clock."""

import typer

from daypass.app.startup import make_clock
from daypass.cli.finding import duration
from daypass.cli.output import fail
from daypass.config.settings import load_settings
from daypass.quota.sqlite import clock as ledger_clock

clock_app = typer.Typer(help="The ledger's clock.", no_args_is_help=True)

MINUTE_S = 60


@clock_app.callback()
def clock() -> None:
    """The ledger's clock."""


@clock_app.command()
def reset() -> None:
    """Make the ledger follow this machine's clock again, after a fast clock was corrected."""
    settings = load_settings()
    if settings.enforcer != "embedded" or settings.redis_url is not None:
        fail("only the ledger in the data directory can be reset: others have their own clock")
    lead_s = ledger_clock.lead_s(settings.ledger_path, make_clock(settings)())
    ledger_clock.reset(settings.ledger_path)
    if lead_s < MINUTE_S:
        typer.echo("The ledger was not ahead of this machine's clock.")
    else:
        typer.echo(
            f"The ledger was {duration(lead_s)} ahead, and goes by this machine's clock now."
        )
