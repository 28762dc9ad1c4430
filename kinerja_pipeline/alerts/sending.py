"""The two ways out: a letter through a mail server, and a JSON document posted to an address.

Here: sending, and what may be said when it fails: never an address with a secret in it. Not here: whom and when
(orchestration/alerting), the words (alerts/message).
"""

from __future__ import annotations

import json
import smtplib
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from http.client import HTTPException
from typing import IO, Any
from urllib.parse import unquote, urlsplit

from kinerja_pipeline.home import AlertSettings

SECONDS = 10
"""How long a server may take: a run waits for it."""


class AlertError(Exception):
    """An alert could not be sent; the message says where to and why, without secrets."""


def send_mail(settings: AlertSettings, to: str, subject: str, text: str) -> None:
    """One letter to one address. A password is sent on an encrypted line or not at all. Raises AlertError."""
    url = urlsplit(settings.smtp_url)
    host = url.hostname or ""
    letter = EmailMessage()
    letter["From"], letter["To"], letter["Subject"] = settings.sender, to, subject
    letter["Date"], letter["Message-ID"] = formatdate(localtime=True), make_msgid(domain=host or "kinerja")
    # No holiday replies, please.
    letter["Auto-Submitted"] = "auto-generated"
    letter.set_content(text)
    try:
        port = url.port or (465 if url.scheme == "smtps" else 587 if url.username else 25)
        context = ssl.create_default_context()
        with (
            smtplib.SMTP_SSL(host, port, timeout=SECONDS, context=context)
            if url.scheme == "smtps"
            else smtplib.SMTP(host, port, timeout=SECONDS)
        ) as server:
            server.ehlo()
            if url.scheme == "smtp" and server.has_extn("starttls"):
                server.starttls(context=context)
                server.ehlo()
            elif url.scheme == "smtp" and url.username:
                raise AlertError(f"mail server {host}: it offers no encryption, so the password was not sent to it")
            if url.username:
                password = settings.smtp_password or unquote(url.password or "")
                server.login(unquote(url.username), password)
            server.send_message(letter)
    except smtplib.SMTPRecipientsRefused as error:
        codes = ", ".join(str(code) for code, _ in error.recipients.values())
        raise AlertError(f"mail server {host}: it takes nothing for this address ({codes})") from None
    except smtplib.SMTPResponseException as error:
        raise AlertError(f"mail server {host}: it answered {error.smtp_code}") from None
    except (smtplib.SMTPException, OSError, ValueError) as error:
        raise AlertError(f"mail server {host}: {_why(error)}") from None


class _Stays(urllib.request.HTTPRedirectHandler):
    """A redirected POST would arrive as an empty GET, and its token at somebody else's."""

    def redirect_request(self, req: Any, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str) -> None:
        return None


def post(settings: AlertSettings, page: Mapping[str, Any]) -> None:
    """Posts the document to the webhook. Raises AlertError for any answer but 2xx."""
    host = urlsplit(settings.webhook).hostname
    headers = {"Content-Type": "application/json; charset=utf-8", "User-Agent": "kinerja-pipeline"}
    if settings.webhook_token:
        headers["Authorization"] = f"Bearer {settings.webhook_token}"
    body = json.dumps(page, ensure_ascii=False).encode()
    try:
        asked = urllib.request.Request(settings.webhook, body, headers, method="POST")
        with urllib.request.build_opener(_Stays).open(asked, timeout=SECONDS):
            pass
    except urllib.error.HTTPError as error:
        error.close()
        raise AlertError(f"webhook at {host}: it answered {error.code}") from None
    except (OSError, HTTPException, ValueError) as error:
        raise AlertError(f"webhook at {host}: {_why(error)}") from None


def _why(error: BaseException) -> str:
    """The operating system's words or the error's class: what else an error says may hold the address."""
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(reason, TimeoutError | smtplib.SMTPServerDisconnected):
        return "it does not answer"
    return (isinstance(reason, OSError) and reason.strerror) or type(reason).__name__
