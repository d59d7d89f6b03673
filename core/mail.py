"""Mail: one letter to one person, carried to an SMTP relay, or laid into a folder where there is none."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from hashlib import sha256
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

import aiosmtplib

from core.errors import Refused, Upstream
from core.settings import Settings

TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class Letter:
    """What is sent. ``key`` names the fact it tells of: the same key is the same letter, with the same Message-ID."""

    key: str
    to: str
    subject: str
    text: str
    language: str
    at: datetime


class Mailer(Protocol):
    """Carries letters."""

    async def send(self, letter: Letter) -> None:
        """Hand a letter over; raises Upstream to try again later, Refused where trying again is of no use."""
        ...


def mailer_of(settings: Settings) -> Mailer | None:
    """The mailer ``MAIL_URL`` names; None where there is none, and then no mail is sent."""
    if not settings.mail_url:
        return None
    address = urlsplit(settings.mail_url)
    if address.scheme == "file":
        return FolderMailer(Path(address.path), settings.mail_from, settings.public_url)
    return SmtpMailer(settings.mail_url, settings.mail_from, settings.public_url)


def message_of(letter: Letter, sender: str, public_url: str) -> EmailMessage:
    """The letter as RFC 5322 wants it; it answers nobody and wants no automatic answer (RFC 3834).

    Raises Refused when its address can be read as another one.
    """
    message = EmailMessage()
    message["From"], message["Subject"] = sender, letter.subject
    _address(message, letter.to)
    message["Date"] = format_datetime(letter.at)
    message["Message-ID"] = f"<{sha256(letter.key.encode()).hexdigest()[:32]}@{urlsplit(public_url).hostname}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.text)  # takes away what was said of the content before
    message["Content-Language"] = letter.language
    return message


def _address(message: EmailMessage, to: str) -> None:
    """Put the recipient in: an encoded word (RFC 2047) in an address would be read as another address, or as many."""
    try:
        message["To"] = to
        read = [f"{one.username}@{one.domain}" for one in message["To"].addresses]
    except ValueError:  # line ends, once it is decoded
        read = []
    if read != [to]:
        raise Refused("Nobody can be written to at this address.", code="mail_refused")


class SmtpMailer:
    """An SMTP relay: ``smtp://[user:password@]host[:port]``, or ``smtps://`` where TLS comes first.

    With a password STARTTLS is a must; without one it is used where the relay offers it.
    """

    def __init__(self, url: str, sender: str, public_url: str) -> None:
        address = urlsplit(url)
        self._sender, self._public_url = sender, public_url
        self._host, self._port = address.hostname, address.port
        self._tls = address.scheme == "smtps"
        self._user = unquote(address.username) if address.username else None
        self._password = unquote(address.password) if address.password else None

    async def send(self, letter: Letter) -> None:
        """Hand a letter to the relay; one that the relay will never take is Refused."""
        try:
            await aiosmtplib.send(
                message_of(letter, self._sender, self._public_url),
                hostname=self._host,
                port=self._port,
                username=self._user,
                password=self._password,
                use_tls=self._tls,
                start_tls=True if self._password and not self._tls else None,
                timeout=TIMEOUT_S,
            )
        except (aiosmtplib.SMTPRecipientsRefused, aiosmtplib.SMTPDataError) as error:
            if _for_good(error):
                raise Refused("The relay will not take this mail.", code="mail_refused") from error
            raise Upstream("The mail relay wants to be asked later.") from error
        except (aiosmtplib.SMTPException, OSError) as error:
            raise Upstream("The mail relay did not answer.") from error


def _for_good(error: aiosmtplib.SMTPRecipientsRefused | aiosmtplib.SMTPDataError) -> bool:
    """A code from 500 on is final (RFC 5321, section 4.2.1)."""
    codes = [one.code for one in error.recipients] if isinstance(error, aiosmtplib.SMTPRecipientsRefused) else []
    return all(code >= 500 for code in codes or [getattr(error, "code", 0)])  # noqa: PLR2004


class FolderMailer:
    """A folder in which each letter is a file (``.eml``): what ``./run`` uses, and easy to open."""

    def __init__(self, folder: Path, sender: str, public_url: str) -> None:
        self._folder, self._sender, self._public_url = folder, sender, public_url

    async def send(self, letter: Letter) -> None:
        """Lay the letter into the folder; the same letter again replaces its file."""
        message = message_of(letter, self._sender, self._public_url)
        await asyncio.to_thread(self._write, letter.key.replace(":", "-"), message.as_bytes())

    def _write(self, name: str, content: bytes) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        unfinished = self._folder / f".{name}"
        unfinished.write_bytes(content)
        unfinished.replace(self._folder / f"{name}.eml")
