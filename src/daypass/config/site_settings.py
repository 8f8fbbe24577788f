"""The settings that operators can change on the site.

To add one, add a field here and the same field to `Settings`, unless it is in `ON_SITE_ONLY`. The
environment and `daypass.toml` take precedence: what is set there cannot be changed on the site.
"""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool, StrictInt

from daypass.config.addresses import check_email_domain
from daypass.config.look import AccentColour, Announcement, SiteName, Terms, WelcomeText
from daypass.config.plans import Amount
from daypass.domain.plans import Limit, Measure, Window, limits_of_amounts

CEILING_WINDOWS = (Window.DAY, Window.MONTH)
CEILINGS = tuple(
    f"{subject}_{measure.value}_per_{window.value}"
    for subject in ("account", "site")
    for measure in Measure
    for window in CEILING_WINDOWS
)
"""Settings that limit accounts and the site, whatever the plans."""

EMBEDDED_ONLY = frozenset({"max_keys_per_account", *CEILINGS})
"""Settings that need `DAYPASS_ENFORCER=embedded`: AWS has no such limits."""

ON_SITE_ONLY = frozenset({"checklist_done"})
"""Settings that the environment and `daypass.toml` do not have."""

MAX_DOMAINS = 100

ChecklistStep = Literal["upstream", "plans", "name", "share"]
ChecklistSteps = Annotated[tuple[ChecklistStep, ...], Field(max_length=4)]
SignUpMode = Literal["open", "invite", "closed"]
EmailDomain = Annotated[str, Field(max_length=253), AfterValidator(check_email_domain)]
EmailDomains = Annotated[tuple[EmailDomain, ...], Field(max_length=MAX_DOMAINS)]
KeysPerAccount = Annotated[StrictInt, Field(ge=1, le=1000)]


class StoredSettings(BaseModel):
    """Values that operators have set on the site. None: not set. Costs are micro-dollars."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    paused: StrictBool | None = None
    sign_up: SignUpMode | None = None
    allowed_email_domains: EmailDomains | None = None
    max_keys_per_account: KeysPerAccount | None = None
    account_requests_per_day: Amount | None = None
    account_requests_per_month: Amount | None = None
    account_tokens_per_day: Amount | None = None
    account_tokens_per_month: Amount | None = None
    account_cost_per_day: Amount | None = None
    account_cost_per_month: Amount | None = None
    site_requests_per_day: Amount | None = None
    site_requests_per_month: Amount | None = None
    site_tokens_per_day: Amount | None = None
    site_tokens_per_month: Amount | None = None
    site_cost_per_day: Amount | None = None
    site_cost_per_month: Amount | None = None
    checklist_done: ChecklistSteps | None = None
    """Steps of the first-run checklist that operators have confirmed."""
    site_name: SiteName | None = None
    accent_colour: AccentColour | None = None
    welcome_text: WelcomeText | None = None
    announcement: Announcement | None = None
    terms: Terms | None = None


class SiteSettings(StoredSettings):
    """The settings in force. Those that are set nowhere have their defaults.

    `Settings.site_settings` makes them, and `records/site_settings.py` reads them.
    """

    paused: StrictBool = False
    """Whether the gateway and the chat refuse every call."""
    sign_up: SignUpMode = "open"
    allowed_email_domains: EmailDomains = ()
    max_keys_per_account: KeysPerAccount = 3
    checklist_done: ChecklistSteps = ()

    @property
    def account_limits(self) -> tuple[Limit, ...]:
        """The ceilings of each account, without its requests per day."""
        return tuple(x for x in self._ceilings("account") if not x.is_daily_requests)

    @property
    def site_limits(self) -> tuple[Limit, ...]:
        """The ceilings of the site."""
        return self._ceilings("site")

    def _ceilings(self, subject: str) -> tuple[Limit, ...]:
        amounts = {
            (measure, window): getattr(self, f"{subject}_{measure.value}_per_{window.value}")
            for measure in Measure
            for window in CEILING_WINDOWS
        }
        return limits_of_amounts(amounts, None)
