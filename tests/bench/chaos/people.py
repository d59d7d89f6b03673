"""Two people who go through one session after the other, over the real protocol, whatever is killed meanwhile."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self
from uuid import uuid4

import aiohttp
from socketio.exceptions import SocketIOError

from app.demo_people import PASSWORD
from tests.bench.chaos.script import CAP_MINOR, RATE_MINOR, Kind, Script
from tests.fakes.caller import SILENT_S, Caller, Rejected
from tests.fakes.light_peer import LightPeer
from tests.fakes.socket_client import Refused

EVERY_S = 0.1  # between two packets: enough to be seen
LOOK_S = 0.1
TOKEN_S = 300.0  # half of what an access token lives
RING_S, JOIN_S, END_S = 25.0, 75.0, 60.0
ATTEMPTS = 8

TROUBLE = (Rejected, Refused, SocketIOError, aiohttp.ClientError, OSError, TimeoutError)


class LightCaller(Caller):
    """A caller whose media are real ICE, DTLS and SRTP and made-up packets: many of them fit one machine."""

    PATIENCE_S = 60.0

    def __init__(self, url: str, email: str) -> None:
        super().__init__(url, email, PASSWORD)
        self._email = email
        self._light: LightPeer | None = None
        self._signed_in_at = time.monotonic()

    async def stay_signed_in(self) -> None:
        """A fresh token in time, told to the socket as well."""
        if time.monotonic() - self._signed_in_at < TOKEN_S:
            return
        self.token = ""
        body = {"email": self._email, "password": PASSWORD}
        self.token = (await self.api("POST", "/api/auth/login", body))["access_token"]
        self._signed_in_at = time.monotonic()
        with contextlib.suppress(*TROUBLE):  # a socket that is down takes the new token when it comes back
            await self.socket.refresh(self.token)

    def _lost(self) -> bool:
        light = self._light
        if light is None or self.call["media_epoch"] > self._epoch:
            return True
        heard = max(light.last_received_at, self._joined_at)
        return time.monotonic() - heard > 2 * SILENT_S and not self._seen()

    async def _join(self) -> None:
        await self._hang_up()
        call_id = self.call["id"]
        joined = await self.socket.say("media.join", call_id=call_id)
        light = LightPeer(EVERY_S)
        self._joined_at, self._epoch = time.monotonic(), joined["epoch"]
        sdp = await light.participant.answer(joined["sdp"])
        await self.socket.say("media.answer", call_id=call_id, peer_id=joined["peer_id"], sdp=sdp)
        try:
            async with asyncio.timeout(2 * SILENT_S):
                await light.connect(joined["sdp"])
        except (ConnectionError, TimeoutError):
            await light.close()  # the node died under the handshake: the next look joins again
            return
        light.start()
        self._light = light

    async def _hang_up(self) -> None:
        light, self._light = self._light, None
        if light is not None:
            await light.close()


@dataclass(slots=True)
class Session:
    """What one session turned out to be, as its people saw it."""

    script: Script
    call_id: str = ""
    reached: bool = False  # the meter showed the connected time of the script
    skips: int = 0
    lasted_s: float = 0.0


class Pair:
    """A customer and the consultant they ask for."""

    def __init__(self, url: str, customer: str, consultant: str, consultant_id: str) -> None:
        self._customer = LightCaller(url, customer)
        self._consultant = LightCaller(url, consultant)
        self._consultant_id = consultant_id
        self._terms = ""

    async def __aenter__(self) -> Self:
        await self._customer.__aenter__()
        await self._consultant.__aenter__()
        terms = await self._customer.api("GET", "/api/terms")
        self._terms = next(item["version"] for item in terms["documents"] if item["document"] == "terms")
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._customer.__aexit__()
        await self._consultant.__aexit__()

    async def play(self, script: Script) -> Session:
        """From a question to the end of the call; settlement is nobody's to wait for."""
        session = Session(script)
        await self._customer.stay_signed_in()
        await self._consultant.stay_signed_in()
        session.call_id = await self._agree()
        began = time.monotonic()
        if script.kind is not Kind.EARLY and await self._until(lambda: self._runs(session), JOIN_S, session):
            if script.kind is Kind.EXTENDED:
                await self._extend(session)
            await self._talk(session)
        await self._leave(session)
        session.lasted_s = time.monotonic() - began
        return session

    async def _agree(self) -> str:
        """Ask, ring, accept; the call's id."""
        for attempt in range(ATTEMPTS):
            request = ""
            try:
                online = await self._consultant.api("POST", "/api/consultant/online", {"online": True})
                if online["status"] != "available":
                    await asyncio.sleep(LOOK_S)
                request = await self._ring()
                offer = await self._offer(request)
                if offer:
                    accepted = await self._consultant.api("POST", f"/api/offers/{offer}/accept", {})
                    return str(accepted["call_id"])
                await self._customer.api("POST", f"/api/requests/{request}/cancel", {})
            except TROUBLE as error:
                if attempt == ATTEMPTS - 1:
                    raise
                if isinstance(error, Rejected):
                    await self._clear()
                await asyncio.sleep(LOOK_S)
        raise TimeoutError("nobody was rung")

    async def _ring(self) -> str:
        question = {"title": "Why is my query slow?", "details": "", "language": "en"}
        asked = await self._customer.api("POST", "/api/questions", question)
        wish = {
            "question_id": asked["id"],
            "consultant_id": self._consultant_id,
            "max_rate_minor_per_hour": RATE_MINOR,
            "currency": "eur",
            "cap_minor": CAP_MINOR,
            "terms_version": self._terms,
            "consent": True,
            "idempotency_key": str(uuid4()),
        }
        return str((await self._customer.api("POST", "/api/requests", wish))["id"])

    async def _offer(self, request: str) -> str:
        """The ring of this request at our consultant; empty when it does not come in time."""
        deadline = time.monotonic() + RING_S
        while time.monotonic() < deadline:
            for offer in self._consultant.socket.snapshot.get("offers") or []:
                if offer["request_id"] == request:
                    return str(offer["id"])
            await asyncio.sleep(LOOK_S)
        return ""

    async def _clear(self) -> None:
        """End whatever still stands between us and a new ring."""
        for person in (self._customer, self._consultant):
            with contextlib.suppress(*TROUBLE):
                await person.socket.sync()
            request, call = person.socket.snapshot.get("request") or {}, person.call
            with contextlib.suppress(*TROUBLE):
                if request.get("state") == "ringing":
                    await person.api("POST", f"/api/requests/{request['id']}/cancel", {})
            with contextlib.suppress(*TROUBLE):
                if call and call["state"] != "ended":
                    await person.api("POST", f"/api/calls/{call['id']}/leave", {})

    def _runs(self, session: Session) -> bool:
        meter = self._customer.meter
        return meter.get("call_id") == session.call_id and bool(meter["running"])

    def _over(self, session: Session) -> bool:
        call = self._customer.call
        return call.get("id") == session.call_id and call["state"] == "ended"

    async def _until(self, condition: Callable[[], bool], seconds: float, session: Session) -> bool:
        """Whether the condition came true before the call's end and before the time is over."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not self._over(session):
            if condition():
                return True
            await asyncio.sleep(LOOK_S)
        return False

    async def _extend(self, session: Session) -> None:
        with contextlib.suppress(Rejected):
            await self._customer.api("POST", f"/api/calls/{session.call_id}/extend", {"idempotency_key": str(uuid4())})
        await self._until(lambda: self._customer.meter.get("cap_minor", 0) > CAP_MINOR, RING_S, session)

    async def _talk(self, session: Session) -> None:
        """Reach the script's connected time with the demo clock; a skip that died with its node is asked for again."""
        path, target = f"/api/calls/{session.call_id}", session.script.target_ms
        deadline = time.monotonic() + JOIN_S
        while not self._over(session) and time.monotonic() < deadline:
            meter = await self._meter(session)
            if meter["connected_ms"] >= target - 500 or meter["final"]:
                session.reached = True
                break
            with contextlib.suppress(Rejected):  # no node carries the call at this moment
                session.skips += 1
                await self._customer.api("POST", f"{path}/demo/skip", {"to_connected_ms": target})
            await self._until(lambda: self._customer.meter.get("connected_ms", 0) >= target - 500, SILENT_S, session)
        if session.script.kind is Kind.CAPPED:
            await self._until(lambda: False, END_S, session)
        else:
            await asyncio.sleep(session.script.linger_s)

    async def _meter(self, session: Session) -> Any:
        return await self._customer.api("GET", f"/api/calls/{session.call_id}/meter")

    async def _leave(self, session: Session) -> None:
        leaver = self._customer if session.script.leaver == "customer" else self._consultant
        await leaver.api("POST", f"/api/calls/{session.call_id}/leave", {})
        await self._until(lambda: self._over(session), END_S, session)
