"""The steps of the story in Firefox, as ``test_story.Story`` takes them in Chromium."""

from app.demo_people import LOGINS, PASSWORD
from app.stack import Stack
from tests.fakes.firefox import Firefox

# Every peer connection the page makes is kept, so that its statistics can be read.
KEEP_PEERS = (
    "window.peers = []; const Real = RTCPeerConnection; window.RTCPeerConnection = class extends Real {"
    " constructor(...all) { super(...all); window.peers.push(this) } }"
)
INBOUND = """(async () => {
  const found = {audio: {}, video: {}, pair: null}
  const peer = window.peers.filter((one) => one.connectionState === 'connected').at(-1)
  const reports = peer ? [...(await peer.getStats()).values()] : []
  for (const report of reports) {
    if (report.type === 'inbound-rtp' && report.packetsReceived > (found[report.kind].packetsReceived ?? 0))
      found[report.kind] = report
    if (report.type === 'candidate-pair' && report.nominated && report.state === 'succeeded')
      found.pair = {...report, local: reports.find((one) => one.id === report.localCandidateId)}
  }
  return found
})()"""


class FirefoxPerson:
    """Somebody who uses Firefox."""

    def __init__(self, firefox: Firefox, stack: Stack, role: str) -> None:
        self.firefox, self.stack, self.role = firefox, stack, role
        firefox.add_preload(KEEP_PEERS)

    def sign_in(self) -> None:
        """With the demo's account of this role."""
        self.firefox.goto(f"{self.stack.url}/sign-in")
        self.firefox.fill("email", LOGINS[self.role])
        self.firefox.fill("password", PASSWORD)
        self.firefox.click("sign-in")
        self.firefox.wait_for("!location.pathname.includes('sign-in')")

    def go_online(self) -> None:
        """The consultant's switch."""
        self.firefox.wait_for("document.querySelector('[data-testid=online-switch]') !== null")
        if not self.firefox.evaluate("document.querySelector('[data-testid=online-switch]').checked"):
            self.firefox.click("online-switch")

    def ring(self) -> None:
        """The customer's way from a question to the ring."""
        self.firefox.goto(f"{self.stack.url}/ask")
        self.firefox.fill("question-title", "Why is my PostgreSQL query slow since the update?")
        self.firefox.fill("question-details", "It took a second and now it takes a minute.")
        for step in ("post-question", "ring-best", "consent", "ring-now"):
            self.firefox.click(step)

    def frames(self, wanted: int, seconds: float = 40) -> None:
        """Wait until so many pictures of the other side were decoded, and one is shown.

        Firefox counts no frames of a stream in ``getVideoPlaybackQuality``.
        """
        self.firefox.wait_for(
            f"{INBOUND}.then((found) => found.video.framesDecoded >= argument)", wanted, seconds=seconds
        )
        self.firefox.wait_for("document.querySelector('[data-testid=remote-video]').videoWidth > 0")

    def heard(self) -> float:
        """The energy of all sound decoded so far."""
        audio = self.firefox.evaluate(INBOUND)["audio"]
        return float(audio.get("totalAudioEnergy") or audio.get("packetsReceived") or 0)
