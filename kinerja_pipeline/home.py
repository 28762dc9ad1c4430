"""KINERJA_HOME: where a deployment keeps everything it owns. The only module that reads the environment.

Here: folder names, settings from the environment, making an empty home. Not here: what is written into the folders.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

SHORTEST_KEY = 32
"""Characters of a pseudonym key: whoever can guess the key can name everybody."""


class HomeError(Exception):
    """The home cannot be used; the message says which folder and what to do."""


@dataclass(frozen=True, slots=True)
class Home:
    """One deployment's folder: files as delivered, Parquet, the warehouse, policies, Dagster's state, reports."""

    root: Path

    @property
    def landing(self) -> Path:
        return self.root / "landing"

    @property
    def lake(self) -> Path:
        return self.root / "lake"

    @property
    def warehouse(self) -> Path:
        return self.root / "warehouse.db"

    @property
    def policies(self) -> Path:
        return self.root / "policies"

    @property
    def corrections(self) -> Path:
        return self.root / "corrections"

    @property
    def dagster(self) -> Path:
        return self.root / "dagster"

    @property
    def reports(self) -> Path:
        return self.root / "reports"

    @property
    def locks(self) -> Path:
        return self.root / "locks"

    @property
    def approvals(self) -> Path:
        return self.root / "approvals"

    @property
    def faults(self) -> Path:
        return self.root / "faults.json"

    @property
    def is_initialised(self) -> bool:
        return self.landing.is_dir() and self.lake.is_dir()


def home_from_environment() -> Home:
    """The home named by KINERJA_HOME, or ./kinerja_home; it need not exist yet."""
    return Home(Path(os.environ.get("KINERJA_HOME") or "kinerja_home").absolute())


def warehouse_url(home: Home) -> str:
    """KINERJA_WAREHOUSE_URL (SQLite or PostgreSQL), by default the SQLite file in the home."""
    return os.environ.get("KINERJA_WAREHOUSE_URL") or f"sqlite:///{home.warehouse}"


def is_warehouse_elsewhere() -> bool:
    """Whether KINERJA_WAREHOUSE_URL names the warehouse, so that it can be reached without a home."""
    return bool(os.environ.get("KINERJA_WAREHOUSE_URL"))


def has_pseudonym_key() -> bool:
    """Whether a key is set at all, be it good or not."""
    return bool(os.environ.get("KINERJA_PSEUDONYM_KEY"))


def runs_by_itself() -> bool:
    """KINERJA_SCHEDULES=on: schedules and the file sensor start switched on. Else they wait for somebody to do so."""
    return os.environ.get("KINERJA_SCHEDULES", "").strip().lower() == "on"


@dataclass(frozen=True, slots=True)
class AlertSettings:
    """Where alerts go and in which language, as the environment says; secrets are shown nowhere and written nowhere.

    `emails` are told of every fault; a feed's owner, whom the policy's `contacts` name, is told of that feed's.
    """

    emails: tuple[str, ...] = ()
    sender: str = ""
    smtp_url: str = field(default="", repr=False)
    smtp_password: str = field(default="", repr=False)
    webhook: str = field(default="", repr=False)
    webhook_token: str = field(default="", repr=False)
    language: str = "id"
    ui_url: str = ""


def alert_settings() -> AlertSettings:
    """KINERJA_SMTP_URL, KINERJA_ALERT_*, KINERJA_UI_URL. Raises HomeError for what nothing could be sent with."""

    def said(name: str) -> str:
        return os.environ.get(name, "").strip()

    emails = tuple(each for part in said("KINERJA_ALERT_EMAIL_TO").split(",") if (each := part.strip()))
    settings = AlertSettings(
        emails=emails,
        sender=said("KINERJA_ALERT_EMAIL_FROM") or (emails[0] if emails else ""),
        smtp_url=said("KINERJA_SMTP_URL"),
        smtp_password=said("KINERJA_SMTP_PASSWORD"),
        webhook=said("KINERJA_ALERT_WEBHOOK"),
        webhook_token=said("KINERJA_ALERT_WEBHOOK_TOKEN"),
        language=said("KINERJA_ALERT_LANG") or "id",
        ui_url=said("KINERJA_UI_URL").rstrip("/"),
    )
    wrong = ""
    if wanting := [each for each in (*emails, settings.sender) if each and each.count("@") != 1]:
        wrong = f"'{wanting[0]}' is no e-mail address; KINERJA_ALERT_EMAIL_TO takes some, with commas between."
    elif emails and not settings.smtp_url:
        wrong = "KINERJA_ALERT_EMAIL_TO is set and KINERJA_SMTP_URL is not; write smtp://user@mail.example:587."
    elif settings.smtp_url and not settings.sender:
        wrong = "KINERJA_SMTP_URL is set and no sender; name one with KINERJA_ALERT_EMAIL_FROM."
    elif settings.smtp_url and not settings.smtp_url.startswith(("smtp://", "smtps://")):
        wrong = "KINERJA_SMTP_URL starts with smtp:// or smtps://, as smtp://user@mail.example:587."
    elif settings.webhook and not settings.webhook.startswith(("http://", "https://")):
        wrong = "KINERJA_ALERT_WEBHOOK starts with https:// (or http://)."
    elif settings.language not in ("id", "en"):
        wrong = f"KINERJA_ALERT_LANG is '{settings.language}'; write id or en."
    if wrong:
        raise HomeError(wrong)
    return settings


def pseudonym_key() -> str:
    """KINERJA_PSEUDONYM_KEY: what turns a NIP into a pseudonym; kept nowhere but in the environment.

    Raises HomeError when there is none, or one that could be guessed.
    """
    key = os.environ.get("KINERJA_PSEUDONYM_KEY", "")
    if len(key) < SHORTEST_KEY:
        told = f"has {len(key)} characters" if key else "is not set"
        raise HomeError(
            f"KINERJA_PSEUDONYM_KEY {told}: pseudonyms need a secret of at least {SHORTEST_KEY} characters, as "
            '`python -c "import secrets; print(secrets.token_hex(32))"` makes one. Keep it: with another key the '
            "pseudonyms are others."
        )
    return key


def init_home(home: Home) -> None:
    """Makes the folders of an empty home that works; an existing home keeps everything it holds.

    Raises HomeError when the folder cannot be made.
    """
    try:
        for folder in (
            *(home.landing, home.lake, home.policies, home.corrections),
            *(home.dagster, home.reports, home.locks),
        ):
            folder.mkdir(parents=True, exist_ok=True)
        # Delivered files hold personal data: only the account that runs the pipeline may read them.
        home.landing.chmod(0o700)
        home.lake.chmod(0o700)
        home.corrections.chmod(0o700)
        home.dagster.chmod(0o700)
    except OSError as error:
        raise HomeError(
            f"{home.root} cannot be made a home: {error.strerror}. "
            "Name a folder you may write to with KINERJA_HOME or --home."
        ) from error


def check_writable(home: Home) -> None:
    """Raises HomeError when this account may not write to the home: better at once than in the middle of a run."""
    for folder in (home.root, home.landing, home.lake, home.dagster, home.locks):
        if folder.is_dir() and not os.access(folder, os.W_OK | os.X_OK):
            raise HomeError(f"{folder} cannot be written by this account. Run as the account that owns the home.")
