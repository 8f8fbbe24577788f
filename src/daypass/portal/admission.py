"""Sign-up policy, shared by sign-up with a password, an e-mailed link or another site."""

from typing import Literal

from sqlalchemy.ext.asyncio import AsyncSession

from daypass.domain.emails import normalise
from daypass.portal.context import Portal
from daypass.portal.problems import ProblemError
from daypass.records import invitations

NOT_INVITED = (
    "Sign-up is by invitation on this site. Open your invitation link: it works once, until it "
    "expires. The operator of this site can send you one."
)


class NotAdmittedError(ProblemError):
    """The sign-up policy does not admit this person."""

    def __init__(
        self,
        reason: Literal["closed", "domain", "not_invited"],
        detail: str,
        *,
        field: str | None = None,
    ) -> None:
        super().__init__(403, detail, field=field)
        self.reason = reason


async def check(session: AsyncSession, email: str, invitation: str | None, portal: Portal) -> None:
    """Raise NotAdmittedError if the sign-up policy does not admit this address."""
    site = await portal.site_settings(session)
    if site.sign_up == "closed":
        raise NotAdmittedError("closed", "Sign-up is closed on this site. Ask its operator.")
    domains = site.allowed_email_domains
    if domains and email.rpartition("@")[2].lower() not in domains:
        message = f"Sign up with an e-mail address at {' or '.join(domains)}."
        raise NotAdmittedError("domain", message, field="email")
    if site.sign_up == "invite" and not await invitations.is_open(
        session, invitation or "", portal.now()
    ):
        raise NotAdmittedError("not_invited", NOT_INVITED)


async def admit(session: AsyncSession, email: str, invitation: str | None, portal: Portal) -> None:
    """Run `check` and use up the invitation, in the transaction that creates the account."""
    await check(session, email, invitation, portal)
    needs_one = (await portal.site_settings(session)).sign_up == "invite"
    if needs_one and not await invitations.use(
        session, invitation or "", normalise(email), portal.now()
    ):
        raise NotAdmittedError("not_invited", NOT_INVITED)
