"""The look of the site: the name, logo and colour that operators chose, for every page."""

import contextlib
import hashlib
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from daypass.config.settings import Settings
from daypass.config.site_settings import SiteSettings
from daypass.domain.colours import DARK, LIGHT, accent_for
from daypass.domain.logo import Logo
from daypass.records import site_logo, site_settings
from daypass.records.database import Database, DatabaseUnavailableError
from daypass.records.site_logo import LogoFacts

PRODUCT = "Daypass"
LOGO_PATH = "/api/logo"
STYLES_PATH = "/api/site.css"


@dataclass(frozen=True, slots=True)
class Look:
    """A site's name, colour, logo and description. None: as Daypass comes."""

    site_name: str | None = None
    accent_colour: str | None = None
    logo: LogoFacts | None = None
    description: str | None = None
    """For search engines and link previews: the first paragraph of the welcome text."""

    @property
    def name(self) -> str:
        """Return the name of the site."""
        return self.site_name or PRODUCT

    @property
    def logo_address(self) -> str | None:
        """Return the path of the logo, which is another one for another logo."""
        return self.logo and f"{LOGO_PATH}?v={self.logo.digest}"

    def styles(self) -> str:
        """Return the style sheet that gives pages the colour and the logo.

        Its selectors outweigh those of `globals.css`, in whichever order the two are loaded.
        """
        rules = []
        if self.accent_colour:
            for selector, theme in (("html:root", LIGHT), ("html.dark:root", DARK)):
                accent = accent_for(theme, self.accent_colour)
                values = f"--accent:{accent.colour};--accent-soft:{accent.soft}"
                rules.append(f"{selector}{{{values}}}\n")
        if self.logo:
            ratio = f"{self.logo.width:g}/{self.logo.height:g}"
            rules.append(
                f'html:root{{--site-logo:url("{self.logo_address}");--site-logo-ratio:{ratio}}}\n'
            )
        return "".join(rules)

    @property
    def styles_address(self) -> str | None:
        """Return the path of the style sheet, or None if it would be empty."""
        styles = self.styles()
        digest = hashlib.sha256(styles.encode()).hexdigest()[:16]
        return f"{STYLES_PATH}?v={digest}" if styles else None


PLAIN = Look()


class LookSource:
    """Reads the look of the site for its pages, which are also served without a database."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings
        self._last = PLAIN

    async def read(self) -> Look:
        """Return the look as of the last commit or, while the database is down, the last known."""
        with contextlib.suppress(DatabaseUnavailableError):
            async with self._database.read() as session:
                self._last = await read_look(
                    session, await site_settings.read(session, self._settings)
                )
        return self._last

    async def read_logo(self) -> Logo | None:
        """Return the logo. None if there is none or the database is down."""
        with contextlib.suppress(DatabaseUnavailableError):
            async with self._database.read() as session:
                return await site_logo.find(session)
        return None


async def read_look(session: AsyncSession, site: SiteSettings) -> Look:
    """Return the look of the site, given the settings in force."""
    return Look(
        site_name=site.site_name,
        accent_colour=site.accent_colour,
        logo=await site_logo.facts(session),
        description=_first_paragraph(site.welcome_text),
    )


def _first_paragraph(text: str | None) -> str | None:
    paragraph = " ".join((text or "").split("\n\n")[0].split())
    return (paragraph if len(paragraph) <= 200 else paragraph[:199] + "…") or None
