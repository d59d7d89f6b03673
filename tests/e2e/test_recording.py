"""Recording as both sides see it: asked, agreed, marked, stopped by one, and played side by side afterwards."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import av
from playwright.sync_api import Page, expect

from app.stack import Stack
from tests.e2e.conftest import RESULTS, Window
from tests.e2e.steps import begin_call, leave
from tests.e2e.test_axe import violations

POSITIONS = """() => ['play-customer', 'play-consultant'].map(
  (name) => document.querySelector(`[data-testid=${name}]`)?.currentTime ?? -1)"""


def folder(stack: Stack) -> Path:
    return Path(stack.env["RECORDINGS_DIR"])


def written(stack: Stack) -> int:
    return sum(path.stat().st_size for path in folder(stack).glob("*")) if folder(stack).is_dir() else 0


def test_a_call_is_recorded_when_both_agree_and_played_side_by_side(
    stack: Stack, window: Callable[..., Window]
) -> None:
    customer, consultant = (window(name).page for name in ("customer", "consultant"))
    begin_call(stack, customer, consultant)
    before = written(stack)
    customer.get_by_test_id("toggle-recording").click()
    expect(customer.get_by_test_id("recording-asked")).to_be_visible()
    question = consultant.get_by_test_id("recording-asked")
    expect(question).to_be_visible()
    assert violations(consultant) == []
    consultant.get_by_test_id("recording-decline").click()
    expect(question).to_be_hidden()
    expect(customer.get_by_test_id("recording-asked")).to_be_hidden()
    assert written(stack) == before, "a no records nothing"

    customer.get_by_test_id("toggle-recording").click()
    consultant.get_by_test_id("recording-agree").click()
    for page in (customer, consultant):
        expect(page.get_by_test_id("recording-mark")).to_be_visible()
    consultant.wait_for_timeout(6_000)
    consultant.get_by_test_id("toggle-recording").click()
    for page in (customer, consultant):
        expect(page.get_by_test_id("recording-mark")).to_be_hidden()
    customer.wait_for_timeout(1_000)
    size = written(stack)
    customer.wait_for_timeout(1_500)
    assert written(stack) == size, "what is stopped stays stopped"
    leave(customer)
    for page in (customer, consultant):
        page.wait_for_url("**/done")
        page.get_by_test_id("watch-recording").click()
        play(page)
    check_files(customer)


def play(page: Page) -> None:
    """Both sides move, and stay together."""
    player = page.get_by_test_id("recording-player")
    expect(player).to_be_visible()
    assert violations(page) == []
    assert 4_000 < int(player.get_attribute("data-length") or 0) < 9_000
    page.get_by_test_id("play").click()
    page.wait_for_function(f"() => ({POSITIONS})().every((at) => at > 1.5)")
    samples = []
    for _ in range(10):
        page.wait_for_timeout(100)
        samples.append(page.evaluate(POSITIONS))
        page.screenshot(path=RESULTS / "recording.png")
    apart = sorted(abs(one - other) for one, other in samples)
    assert apart[5] <= 0.08, f"both sides lie {apart} s apart while they play"
    frames = "(e) => e.getVideoPlaybackQuality().totalVideoFrames"
    assert all(page.get_by_test_id(f"play-{side}").evaluate(frames) > 10 for side in ("customer", "consultant"))


def check_files(page: Page) -> None:
    """What can be downloaded is what players of other people read, too."""
    links = page.get_by_test_id("download-recording")
    assert links.count() == 2
    for n in range(2):
        with page.expect_download() as waiting:
            links.nth(n).click()
        path = waiting.value.path()
        with av.open(str(path)) as file:
            assert sum(1 for _ in file.decode(video=0)) > 50
        if shutil.which("ffprobe"):
            command = ["ffprobe", "-v", "error", "-show_streams", "-show_format", "-of", "json", str(path)]
            told = json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
            assert {stream["codec_name"] for stream in told["streams"]} == {"vp8", "opus"}
            assert 4 < float(told["format"]["duration"]) < 9
