"""What two people do in a call besides talking: sharing a screen, muting, other devices, chat; and the end."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from app.stack import Stack
from tests.e2e.conftest import Window
from tests.e2e.people import KEEP_PEERS
from tests.e2e.steps import begin_call

# A window to be shared: as wide as 1280 pixels, with letters of ordinary size, and a tone.
SHARE = """() => {
  const canvas = Object.assign(document.createElement('canvas'), {width: 1280, height: 720})
  const pen = canvas.getContext('2d')
  let n = 0
  setInterval(() => {
    pen.fillStyle = '#fff'; pen.fillRect(0, 0, 1280, 720)
    pen.fillStyle = '#000'; pen.font = '16px sans-serif'
    for (let row = 0; row < 30; row++) pen.fillText(`SELECT ${row} FROM consultant WHERE n = ${n}`, 40, 40 + row * 22)
    n += 1
  }, 100)
  const sound = new AudioContext().createMediaStreamDestination()
  navigator.mediaDevices.getDisplayMedia = async () =>
    new MediaStream([...canvas.captureStream(10).getVideoTracks(), ...sound.stream.getAudioTracks()])
  const take = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices)
  window.taken = []
  navigator.mediaDevices.getUserMedia = async (wish) => {
    const stream = await take(wish)
    window.taken.push(...stream.getTracks())
    return stream
  }
}"""
# How much of the letters is left at the other side: dark pixels next to light ones, along a line of text.
EDGES = """(video) => {
  const canvas = Object.assign(document.createElement('canvas'), {width: video.videoWidth, height: video.videoHeight})
  const pen = canvas.getContext('2d')
  pen.drawImage(video, 0, 0)
  const {data} = pen.getImageData(30, Math.round(35 * video.videoHeight / 720), 400, 1)
  let edges = 0
  for (let x = 4; x < data.length; x += 4) edges += Math.abs(data[x] - data[x - 4]) > 90 ? 1 : 0
  return {edges, width: video.videoWidth, height: video.videoHeight}
}"""


def edges(page: Page) -> dict[str, int]:
    found: dict[str, int] = page.get_by_test_id("remote-screen").evaluate(EDGES)
    return found


def test_screen_mute_devices_chat_and_the_end(stack: Stack, window: Callable[..., Window]) -> None:
    customer, consultant = (window(name).page for name in ("customer", "consultant"))
    customer.add_init_script(KEEP_PEERS)
    customer.add_init_script(f"({SHARE})()")
    begin_call(stack, customer, consultant)

    customer.get_by_test_id("toggle-screen").click()
    shared = consultant.get_by_test_id("remote-screen")
    expect(shared).to_be_visible()
    for _ in range(60):  # the picture gets sharp within a few seconds, as bandwidth is found
        consultant.wait_for_timeout(250)
        if shared.evaluate("(video) => video.videoHeight") >= 720 and edges(consultant)["edges"] >= 20:
            break
    sharp = edges(consultant)
    assert (sharp["width"], sharp["height"]) == (1280, 720)
    assert sharp["edges"] >= 20, "letters are letters at the other side"
    negotiations = customer.evaluate("window.peers.length")
    customer.get_by_test_id("toggle-screen").click()
    expect(shared).to_be_hidden()
    assert customer.evaluate("window.peers.length") == negotiations, "sharing needs no new connection"

    customer.get_by_test_id("toggle-microphone").click()
    expect(consultant.get_by_text("muted")).to_be_visible()
    customer.get_by_test_id("toggle-microphone").click()
    expect(consultant.get_by_text("muted")).to_be_hidden()

    customer.get_by_test_id("device-menu").locator("summary").click()
    choice = customer.get_by_test_id("choose-camera")
    other = choice.locator("option").last.get_attribute("value")
    choice.select_option(other)
    customer.wait_for_function(
        "(wanted) => window.taken.filter((one) => one.kind === 'video' && one.readyState === 'live')"
        ".some((one) => one.getSettings().deviceId === wanted)",
        arg=other,
    )

    consultant.get_by_test_id("chat-text").fill("Add an index on answer.")
    consultant.get_by_test_id("chat-send").click()
    expect(customer.get_by_text("Add an index on answer.")).to_be_visible(timeout=2_000)

    consultant.get_by_test_id("leave").click()
    consultant.get_by_test_id("leave-confirm").click()
    customer.wait_for_url("**/done")
    # Camera and microphone go off by the other side's leaving, as the room's screen goes (the address changes first).
    # As a function: a bare expression is evaluated anew at each look, which the page's policy forbids.
    customer.wait_for_function(
        "() => window.taken.length > 1 && window.taken.every((one) => one.readyState === 'ended')",
        timeout=5_000,
    )
