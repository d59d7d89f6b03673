"""A network that lets nothing through but the relay: calls work all the same, and the network test says how."""

import shutil
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from app.embedded.postgres import free_port
from app.stack import Plan, Stack
from tests.e2e.conftest import LIMITS, Window, running
from tests.e2e.people import INBOUND, KEEP_PEERS, FirefoxPerson
from tests.e2e.steps import go_online, heard, leave, ring, sign_in, wait_for_frames
from tests.fakes.firefox import Firefox

pytestmark = pytest.mark.skipif(shutil.which("turnserver") is None, reason="needs coturn: apt-get install -y coturn")

NO_UDP = "--webrtc-ip-handling-policy=disable_non_proxied_udp"  # as behind a firewall that lets only TCP out


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    data = tmp_path_factory.mktemp("relay-only")
    settings = LIMITS | {"MEDIA_RELAY_ONLY": "true"}
    plan = Plan(
        data=data, port=free_port(), environment="test", robot=False, throwaway=True, turn=True, settings=settings
    )
    with running(plan) as stack:
        yield stack


def by_relay(page: Page) -> bool:
    return bool(page.evaluate(INBOUND)["pair"]["local"]["candidateType"] == "relay")


def test_chromium_and_chromium_by_relay(stack: Stack, window: Callable[..., Window]) -> None:
    customer, consultant = pages = [window(name).page for name in ("customer", "consultant")]
    for page in pages:
        page.add_init_script(KEEP_PEERS)
    go_online(consultant, stack)
    sign_in(customer, stack, "customer")
    ring(customer, stack)
    check = customer.get_by_test_id("network-check")
    expect(check).to_have_attribute("data-word", "good", timeout=8_000)
    consultant.get_by_test_id("accept-offer").click()
    for page in pages:
        wait_for_frames(page, 60)
    before = [heard(page) for page in pages]
    customer.wait_for_timeout(1_500)
    assert [heard(page) > then for page, then in zip(pages, before, strict=True)] == [True, True]
    assert [by_relay(page) for page in pages] == [True, True]
    leave(customer)


def test_chromium_and_firefox_by_relay(
    stack: Stack,
    window: Callable[..., Window],
    firefox: Firefox,
) -> None:
    customer = window("customer").page
    customer.add_init_script(KEEP_PEERS)
    consultant = FirefoxPerson(firefox, stack, "consultant")
    consultant.sign_in()
    consultant.go_online()
    sign_in(customer, stack, "customer")
    ring(customer, stack)
    firefox.click("accept-offer")
    wait_for_frames(customer, 60)
    consultant.frames(60)
    before = heard(customer), consultant.heard()
    customer.wait_for_timeout(1_500)
    assert heard(customer) > before[0], "Chromium hears Firefox"
    assert consultant.heard() > before[1], "Firefox hears Chromium"
    assert by_relay(customer)
    assert firefox.evaluate(INBOUND)["pair"]["local"]["candidateType"] == "relay"
    leave(customer)


def check_network(page: Page, stack: Stack, word: str) -> str | None:
    """Which way calls would go by, after the network test has ended with ``word``."""
    sign_in(page, stack, "consultant")
    page.get_by_test_id("check-devices").click()
    check = page.get_by_test_id("network-check")
    expect(check).to_have_attribute("data-word", word, timeout=8_000)
    return check.get_attribute("data-by")


def test_where_udp_is_blocked_calls_go_by_tcp_to_the_relay(stack: Stack, window: Callable[..., Window]) -> None:
    page = window("consultant", flags=(NO_UDP,)).page
    assert check_network(page, stack, "good") == "relay"


def test_an_open_network_goes_directly(stack: Stack, window: Callable[..., Window]) -> None:
    assert check_network(window("consultant").page, stack, "good") == "direct"


def test_where_udp_is_blocked_and_no_relay_is_there_it_says_so(
    tmp_path_factory: pytest.TempPathFactory, window: Callable[..., Window]
) -> None:
    plan = Plan(
        data=tmp_path_factory.mktemp("no-relay"),
        port=free_port(),
        environment="test",
        robot=False,
        throwaway=True,
        settings=LIMITS,
    )
    with running(plan) as bare:
        page = window("consultant", flags=(NO_UDP,)).page
        assert check_network(page, bare, "blocked") is None
        expect(page.get_by_text("Your network blocks calls")).to_be_visible()
