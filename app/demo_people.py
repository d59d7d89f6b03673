"""Who lives in the demo: four log-ins, a robot, and consultants of many trades. Made up, every one of them."""

from dataclasses import dataclass

PASSWORD = "demo-consultant-connect"  # noqa: S105 - printed on the terminal, of demo accounts only

LOGINS = {
    "customer": "customer@demo.example",
    "consultant": "consultant@demo.example",
    "finance": "finance@demo.example",
    "admin": "admin@demo.example",
}
ROBOT = "robot@demo.example"
STAFF_NAMES = {"finance": "Fiona Finance", "admin": "Adam Admin"}
CUSTOMER_NAME = "Carla Customer"


@dataclass(frozen=True, slots=True)
class DemoConsultant:
    """One profile; the rate is in minor units per hour."""

    email: str
    name: str
    headline: str
    biography: str
    tags: tuple[str, ...]
    rate_minor_per_hour: int
    currency: str
    languages: tuple[str, ...]
    time_zone: str = "Europe/Berlin"


CONSULTANTS = (
    DemoConsultant(
        LOGINS["consultant"],
        "Anna Albrecht",
        "PostgreSQL and Python in production, for fifteen years",
        "I find slow queries, lost locks and leaking connections, and I explain what I did so that you can do it "
        "the next time. Former database lead of a payments company.",
        ("postgresql", "python", "performance", "sql"),
        9_000,
        "eur",
        ("en", "de"),
    ),
    DemoConsultant(
        ROBOT,
        "Robin Robot",
        "Answers every demo call within seconds",
        "A machine that shows a moving picture and hums. Good for trying the product without a second person.",
        ("demo", "python", "postgresql", "webrtc"),
        9_000,
        "eur",
        ("en", "de"),
    ),
    DemoConsultant(
        "ben@demo.example",
        "Ben Okafor",
        "Kubernetes, networks and the night the cluster went down",
        "Site reliability engineer. Pods that restart, ingress that loses requests, bills that explode.",
        ("kubernetes", "docker", "networking", "aws"),
        12_000,
        "eur",
        ("en",),
        "Europe/London",
    ),
    DemoConsultant(
        "chiara@demo.example",
        "Chiara Conti",
        "React, TypeScript and accessible interfaces",
        "I review components, untangle state and make screens work for keyboards and screen readers.",
        ("react", "typescript", "accessibility", "css"),
        8_400,
        "eur",
        ("en", "it", "de"),
        "Europe/Rome",
    ),
    DemoConsultant(
        "david@demo.example",
        "David Dürr",
        "Steuern für Selbstständige, verständlich erklärt",
        "Umsatzsteuer, Reverse Charge, Kleinunternehmer, die erste Betriebsprüfung. Steuerberater seit 2009.",
        ("tax", "vat", "accounting", "freelancing"),
        15_000,
        "eur",
        ("de", "en"),
    ),
    DemoConsultant(
        "elena@demo.example",
        "Elena Egli",
        "Contracts and data protection for small companies",
        "Terms of service, processing agreements, what to answer when a customer wants everything deleted.",
        ("contracts", "gdpr", "privacy", "law"),
        21_000,
        "chf",
        ("de", "en", "fr"),
        "Europe/Zurich",
    ),
    DemoConsultant(
        "farid@demo.example",
        "Farid Farahani",
        "WebRTC, video and everything that loses packets",
        "Why the call connects at home and not in the office; TURN, ICE, codecs, measured instead of guessed.",
        ("webrtc", "networking", "video", "javascript"),
        13_200,
        "eur",
        ("en", "fa"),
        "Europe/Amsterdam",
    ),
    DemoConsultant(
        "grace@demo.example",
        "Grace Greene",
        "Marketing for products that nobody has heard of yet",
        "Positioning, landing pages, first hundred customers. I read your page aloud and tell you where I stopped.",
        ("marketing", "copywriting", "seo", "startups"),
        7_200,
        "usd",
        ("en",),
        "America/New_York",
    ),
    DemoConsultant(
        "hiro@demo.example",
        "Hiro Hayashi",
        "Machine learning that survives contact with real data",
        "Labels, leaks, baselines, and when not to train a model at all. Recommenders and forecasting.",
        ("machine-learning", "python", "statistics", "data"),
        18_000,
        "eur",
        ("en", "ja"),
        "Asia/Tokyo",
    ),
)
