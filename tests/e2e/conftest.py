"""What every browser test may ask for: the whole stack on ephemeral ports, and real Chromium windows."""

import contextlib
import os
import shutil
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

from app.demo_people import CONSULTANTS, CUSTOMER_NAME, LOGINS, PASSWORD
from app.embedded.postgres import free_port
from app.stack import Plan, Stack
from tests.fakes.firefox import Firefox
from tests.fakes.log_search import card_numbers_in, leaks

RESULTS = Path(__file__).parent.parent.parent / "test-results"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
    "--auto-select-desktop-capture-source=Entire screen",
]
# Several people share one address here, and each test logs in anew.
SECRETS = (
    "SECRET_KEY",
    "STRIPE_SECRET_KEY",
    "STRIPE_WEBHOOK_SECRET",
    "MEDIA_CONTROL_TOKEN",
    "RECEIPT_KEY",
    "TURN_SECRET",
)
LIMITS = {"RATE_LIMIT_LOGIN_PER_MIN": "1000", "RATE_LIMIT_API_PER_MIN": "5000"}


@pytest.fixture(scope="session")
def chromium() -> str:
    """Where Chromium is; without it the test says how to get it."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        pytest.fail("Browser tests need Chromium: apt-get install -y chromium")
    return found


@contextlib.contextmanager
def running(plan: Plan) -> Iterator[Stack]:
    """The whole product with demo data; what dies is started again, as ./run does it."""
    stack = Stack(plan)
    stack.start()
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.2):
            stack.poll()

    # Started by the main thread's poll() only in ./run; children die with the thread that started them, so the
    # watcher must live as long as the session.
    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield stack
    finally:
        over.set()
        watcher.join()
        stack.stop()
        if os.environ.get("KEEP_LOGS"):
            shutil.copytree(plan.data / "logs", RESULTS / f"logs-{plan.data.name}", dirs_exist_ok=True)


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One for all tests that need nothing special."""
    data = tmp_path_factory.mktemp("stack")
    with running(
        Plan(data=data, port=free_port(), environment="test", robot=False, throwaway=True, settings=LIMITS)
    ) as one:
        yield one
        # Everything the browser tests did is in these logs and tables by now.
        secrets = [one.env[name] for name in SECRETS if one.env.get(name)]
        persons = [PASSWORD, CUSTOMER_NAME, *LOGINS.values(), *(person.name for person in CONSULTANTS)]
        assert leaks(data / "logs", secrets, persons) == []
        assert card_numbers_in(one.env["DATABASE_URL"]) == []


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """The driver of the browsers."""
    with sync_playwright() as running:
        yield running


class Window:
    """One person's own Chromium: a process of its own, so that its network can be cut without the other's."""

    def __init__(self, browser: Browser, page: Page, user_data: Path) -> None:
        self.browser = browser
        self.page = page
        self._user_data = user_data

    def cut_network(self) -> None:
        """Stop the browser's network process: nothing leaves or enters, neither sockets nor media."""
        os.kill(self._network_process(), signal.SIGSTOP)

    def mend_network(self) -> None:
        """Let it run on."""
        os.kill(self._network_process(), signal.SIGCONT)

    def _network_process(self) -> int:
        for process in Path("/proc").glob("[0-9]*"):
            try:
                line = (process / "cmdline").read_bytes().decode(errors="replace")
            except OSError:
                continue
            if "network.mojom.NetworkService" in line and str(self._user_data) in line:
                return int(process.name)
        raise LookupError("this browser has no network process of its own")


@pytest.fixture
def window(
    chromium: str, playwright: Playwright, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Callable[..., Window]]:
    """A function that opens a window for somebody; on failure each leaves a screenshot in test-results."""
    opened: list[tuple[str, Window]] = []

    def open_window(
        name: str, *, width: int = 1280, height: int = 800, locale: str = "en-GB", flags: tuple[str, ...] = ()
    ) -> Window:
        user_data = tmp_path / f"browser-{name}"
        context = playwright.chromium.launch_persistent_context(
            str(user_data),
            executable_path=chromium,
            args=[*FLAGS, *flags],
            viewport={"width": width, "height": height},
            locale=locale,
        )
        page = context.pages[0]
        page.set_default_timeout(15_000)
        found = Window(context.browser, page, user_data)  # type: ignore[arg-type]
        found.context = context  # type: ignore[attr-defined]
        opened.append((name, found))
        return found

    failed_before = request.session.testsfailed
    yield open_window
    for name, one in opened:
        if request.session.testsfailed > failed_before:
            RESULTS.mkdir(exist_ok=True)
            one.page.screenshot(path=RESULTS / f"{request.node.name}-{name}.png")
        one.context.close()  # type: ignore[attr-defined]


@pytest.fixture
def firefox(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Firefox]:
    one = Firefox(tmp_path / "firefox")
    failed_before = request.session.testsfailed
    yield one
    if request.session.testsfailed > failed_before:
        one.screenshot(RESULTS / f"{request.node.name}-firefox.png")
    one.close()
