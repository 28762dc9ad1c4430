"""The two ways out, against servers of this test: what arrives, and what is said when nothing does."""

from __future__ import annotations

import socket
import time

import pytest
from post_office import Hook, Mail

from kinerja_pipeline.alerts import sending
from kinerja_pipeline.alerts.sending import AlertError, post, send_mail
from kinerja_pipeline.home import AlertSettings

TO, SECRET = "operator@salor.example", "hunter2hunter2"


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")


def test_a_letter_arrives_as_it_was_written(mail: Mail) -> None:
    settings = AlertSettings(sender="kinerja@salor.example", smtp_url=mail.url)
    send_mail(settings, TO, "[Kinerja] Berkas ditolak – salor", "Lakukan: perbaiki „tugas.csv“.\n")
    (letter,) = mail.letters
    assert (letter["From"], letter["To"]) == ("kinerja@salor.example", TO)
    assert letter["Subject"] == "[Kinerja] Berkas ditolak – salor"
    assert letter.get_content().split("\r\n") == ["Lakukan: perbaiki „tugas.csv“.", ""]
    assert letter["Auto-Submitted"] == "auto-generated"


def test_a_password_is_never_sent_unencrypted(mail: Mail) -> None:
    settings = AlertSettings(sender=TO, smtp_url=mail.url.replace("smtp://", "smtp://kinerja@"), smtp_password=SECRET)
    with pytest.raises(AlertError, match=r"mail server 127.0.0.1: it offers no encryption"):
        send_mail(settings, TO, "a", "b")
    assert mail.letters == []
    assert [line for line in mail.said if line.startswith("AUTH")] == []


def test_an_address_that_the_server_does_not_know_is_an_error_with_its_code(mail: Mail) -> None:
    mail.refuses.add(TO)
    with pytest.raises(AlertError, match=r"it takes nothing for this address \(550\)"):
        send_mail(AlertSettings(sender="k@salor.example", smtp_url=mail.url), TO, "a", "b")


def test_a_document_arrives_with_its_token(hook: Hook) -> None:
    post(AlertSettings(webhook=hook.url, webhook_token=SECRET), {"text": "Berkas ditolak – salor"})
    assert hook.pages == [{"text": "Berkas ditolak – salor"}]
    assert hook.headers[0]["Authorization"] == f"Bearer {SECRET}"
    assert hook.headers[0]["Content-Type"].startswith("application/json")


@pytest.mark.parametrize("status", [302, 404, 500])
def test_any_answer_but_a_good_one_is_an_error_and_no_redirect_gets_the_token(hook: Hook, status: int) -> None:
    hook.status, hook.location = status, hook.url if status == 302 else ""
    with pytest.raises(AlertError) as raised:
        post(AlertSettings(webhook=hook.url, webhook_token=SECRET), {"text": "x"})
    assert str(raised.value) == f"webhook at 127.0.0.1: it answered {status}"
    assert len(hook.headers) == 1


def test_a_dead_server_is_an_error_without_the_secrets_of_its_address() -> None:
    with socket.create_server(("127.0.0.1", 0)) as place:
        port = place.getsockname()[1]
    settings = AlertSettings(
        sender=TO, smtp_url=f"smtp://me:{SECRET}@127.0.0.1:{port}", webhook=f"http://127.0.0.1:{port}/{SECRET}"
    )
    told = []
    with pytest.raises(AlertError) as raised:
        send_mail(settings, TO, "a", "b")
    told.append(str(raised.value))
    with pytest.raises(AlertError) as raised:
        post(settings, {})
    told.append(str(raised.value))
    assert told == ["mail server 127.0.0.1: Connection refused", "webhook at 127.0.0.1: Connection refused"]
    assert SECRET not in repr(settings)


def test_a_server_that_never_answers_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"smtp://127.0.0.1:{silent.getsockname()[1]}"
        start = time.monotonic()
        with pytest.raises(AlertError, match="it does not answer"):
            send_mail(AlertSettings(sender=TO, smtp_url=url), TO, "a", "b")
    assert time.monotonic() - start < 5
