"""A person's Firefox: Debian's firefox-esr, headless, driven over WebDriver BiDi, with a camera that is not there."""

import asyncio
import base64
import json
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

import aiohttp

from core.tasks import finish

MISSING = "Browser tests need Firefox: apt-get install -y --no-install-recommends firefox-esr"
START_S, ANSWER_S = 60, 30
PREFERENCES: dict[str, bool | int | str] = {
    "remote.active-protocols": 1,
    # A moving picture and a tone instead of devices, and no question about them.
    "media.navigator.streams.fake": True,
    "media.navigator.permission.disabled": True,
    "media.autoplay.default": 0,
    "media.autoplay.blocking_policy": 0,
    # A test machine has no internet: whoever calls home only waits.
    "app.update.auto": False,
    "app.normandy.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.page": 0,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "extensions.update.enabled": False,
    "media.gmp-manager.updateEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "services.settings.server": "data:,",
    "toolkit.telemetry.enabled": False,
    "intl.accept_languages": "en-GB",
}

T = TypeVar("T")


class Firefox:
    """One window. Every method waits until it is done; a page's error is raised here with its text."""

    def __init__(self, folder: Path, *, preferences: dict[str, bool | int | str] | None = None) -> None:
        binary = shutil.which("firefox-esr") or shutil.which("firefox")
        if binary is None:
            raise FileNotFoundError(MISSING)
        folder.mkdir(parents=True, exist_ok=True)
        prefs = PREFERENCES | (preferences or {})
        lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in prefs.items()]
        (folder / "user.js").write_text("\n".join(lines))
        self._process = subprocess.Popen(
            [binary, "--headless", "--no-remote", "--profile", str(folder), "--remote-debugging-port=0", "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._loop = asyncio.new_event_loop()
        self._threads = [threading.Thread(target=self._loop.run_forever, daemon=True)]
        self._threads[0].start()
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._last = 0
        self._run(self._open(self._address()), START_S)

    def goto(self, url: str) -> None:
        """Load a page."""
        self._ask("browsingContext.navigate", context=self._context, url=url, wait="complete")

    def evaluate(self, expression: str, argument: Any = None) -> Any:
        """The value of an expression (a promise is awaited); ``argument`` is there as ``argument``."""
        body = f"(async (argument) => JSON.stringify((await ({expression})) ?? null))({json.dumps(argument)})"
        found = self._ask(
            "script.evaluate",
            expression=body,
            target={"context": self._context},
            awaitPromise=True,
            userActivation=True,
        )
        if found["type"] == "exception":
            raise RuntimeError(found["exceptionDetails"]["text"])
        return json.loads(found["result"]["value"])

    def wait_for(self, expression: str, argument: Any = None, *, seconds: float = 30) -> Any:
        """Wait until an expression is truthy, and return it."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                found = self.evaluate(expression, argument)
            except RuntimeError as error:  # the page is being replaced
                found, why = None, str(error)
            else:
                why = json.dumps(found)
            if found:
                return found
            if time.monotonic() > deadline:
                raise AssertionError(f"not within {seconds} s in Firefox: {expression} ({why})")
            time.sleep(0.1)

    def click(self, test_id: str) -> None:
        """Click an element once it is there and enabled."""
        self.wait_for(f"{_element(test_id)} && !{_element(test_id)}.disabled")
        self.evaluate(f"{_element(test_id)}.click()")

    def fill(self, test_id: str, text: str) -> None:
        """Type into a field."""
        self.wait_for(_element(test_id) + " !== null")
        self.evaluate(
            f"({_element(test_id)}.focus(), {_element(test_id)}.select?.(),"
            " document.execCommand('insertText', false, argument))",
            text,
        )

    def add_preload(self, script: str) -> None:
        """Run a script before those of every page loaded from now on."""
        self._ask("script.addPreloadScript", functionDeclaration=f"() => {{ {script} }}")

    def screenshot(self, path: Path) -> None:
        """A picture of the page."""
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(
            base64.b64decode(self._ask("browsingContext.captureScreenshot", context=self._context)["data"])
        )

    @property
    def url(self) -> str:
        """Where it is."""
        return str(self.evaluate("location.href"))

    def close(self) -> None:
        """End it, and its loop."""
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._run(self._hang_up(), 10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        for thread in self._threads:
            thread.join(10)
        self._loop.close()
        assert self._process.stderr is not None
        self._process.stderr.close()

    def _address(self) -> str:
        deadline = time.monotonic() + START_S
        assert self._process.stderr is not None
        while time.monotonic() < deadline:
            line = self._process.stderr.readline()
            if found := re.search(r"WebDriver BiDi listening on (ws://\S+)", line):
                self._threads.append(threading.Thread(target=self._process.stderr.read, daemon=True))
                self._threads[-1].start()  # a full pipe would stop it
                return found[1]
            if self._process.poll() is not None:
                break
        raise TimeoutError("Firefox did not start")

    async def _open(self, address: str) -> None:
        self._http = aiohttp.ClientSession()
        self._socket = await self._http.ws_connect(f"{address}/session", max_msg_size=0)
        self._reader = asyncio.create_task(self._read())
        await self._say("session.new", capabilities={"alwaysMatch": {"acceptInsecureCerts": True}})
        tree = await self._say("browsingContext.getTree")
        self._context = tree["contexts"][0]["context"]
        await self._say("browsingContext.setViewport", context=self._context, viewport={"width": 1280, "height": 800})

    async def _hang_up(self) -> None:
        await finish(self._reader)
        await self._socket.close()
        await self._http.close()

    async def _read(self) -> None:
        async for message in self._socket:
            said = json.loads(message.data)
            waiting = self._answers.pop(said.get("id"), None)
            if waiting is not None and not waiting.done():
                waiting.set_result(said)

    async def _say(self, method: str, **parameters: Any) -> Any:
        self._last += 1
        answer = self._answers[self._last] = self._loop.create_future()
        await self._socket.send_json({"id": self._last, "method": method, "params": parameters})
        async with asyncio.timeout(ANSWER_S):
            said = await answer
        if said["type"] == "error":
            raise RuntimeError(f"{method}: {said['error']}: {said['message']}")
        return said["result"]

    def _ask(self, method: str, **parameters: Any) -> Any:
        return self._run(self._say(method, **parameters), ANSWER_S + 5)

    def _run(self, work: Coroutine[Any, Any, T], seconds: float) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(seconds)


def _element(test_id: str) -> str:
    return f"document.querySelector('[data-testid={test_id}]')"
