"""Where attachments lie: a folder outside the web root, each file under the hash of its content, never executable."""

import asyncio
import hashlib
import os
import re
import tempfile
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import IO

from core.errors import Invalid
from matching.attachments.attachment_types import MOST_BYTES, check_content

STRAY_AFTER = timedelta(hours=1)
_OURS = re.compile(r"[0-9a-f]{64}")
_INCOMING = "incoming"


class TooLarge(Invalid):
    """A file may have 5 MB at most."""

    code = "attachment_too_large"


class Incoming:
    """A file that arrives, not yet kept: ``AttachmentFiles.keep`` gives it its place, otherwise it goes away."""

    def __init__(self, path: Path) -> None:
        self.path, self.size = path, 0
        self._hashed = hashlib.sha256()

    @property
    def digest(self) -> str:
        """The SHA-256 of what has arrived, in hexadecimal digits."""
        return self._hashed.hexdigest()

    def note(self, piece: bytes) -> None:
        """Count and hash a piece; raises TooLarge when it is one too many."""
        self.size += len(piece)
        if self.size > MOST_BYTES:
            raise TooLarge
        self._hashed.update(piece)

    def discard(self) -> None:
        """Delete it, unless it was kept."""
        self.path.unlink(missing_ok=True)


class AttachmentFiles:
    """The folder. Two equal files are one; who may read which is for the rows to say."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, digest: str) -> Path:
        """Where the content with this SHA-256 lies, or would."""
        return self._folder / digest[:2] / digest

    async def receive(self, pieces: AsyncIterator[bytes], media_type: str) -> Incoming:
        """Write what arrives to disk piece by piece and check it; raises TooLarge (at once) or WrongContent."""
        file = await asyncio.to_thread(self._open)
        incoming = Incoming(Path(file.name))
        try:
            with file:
                async for piece in pieces:
                    incoming.note(piece)
                    await asyncio.to_thread(file.write, piece)
                await asyncio.to_thread(_finish, file, media_type, incoming.size)
        except BaseException:  # also when the sender goes away: half a file is nobody's
            incoming.discard()
            raise
        return incoming

    def _open(self) -> IO[bytes]:
        incoming = self._folder / _INCOMING
        incoming.mkdir(mode=0o700, parents=True, exist_ok=True)
        return tempfile.NamedTemporaryFile(dir=incoming, delete=False)  # mode 0600; closed by receive

    def keep(self, incoming: Incoming) -> None:
        """Give a file its place. Call under the lock of its digest, in the transaction that inserts its row."""
        place = self.path(incoming.digest)
        place.parent.mkdir(mode=0o700, exist_ok=True)
        incoming.path.replace(place)

    def remove(self, digest: str) -> None:
        """Delete a content; it may be gone already. Call under the lock of its digest."""
        self.path(digest).unlink(missing_ok=True)

    def old_ones(self, now: float) -> Iterator[str]:
        """Digests of the files that lie here since long; what came in half and was left is deleted on the way."""
        if not self._folder.is_dir():
            return
        for path in self._folder.glob("*/*"):
            try:
                old = now - path.stat().st_mtime > STRAY_AFTER.total_seconds()
            except FileNotFoundError:  # another worker was here
                continue
            if old and path.parent.name == _INCOMING:
                path.unlink(missing_ok=True)
            elif old and _OURS.fullmatch(path.name):
                yield path.name


def _finish(file: IO[bytes], media_type: str, size: int) -> None:
    file.flush()
    with Path(file.name).open("rb") as written:
        check_content(media_type, written, size)
    os.fsync(file.fileno())
