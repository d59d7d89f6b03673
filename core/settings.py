"""Settings: every environment variable the product reads, its meaning and its default."""

from functools import cached_property
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Read from the environment. A missing secret stops the start with a message that names it."""

    model_config = SettingsConfigDict(env_prefix="", extra="ignore", frozen=True)

    database_url: str = Field(description="postgresql://user:password@host:port/name")
    redis_url: str = Field(description="redis://host:port/0")
    secret_key: str = Field(min_length=32, description="Signs access tokens; at least 32 characters")
    receipt_key: str = Field(
        pattern="^[A-Za-z0-9_-]{43}$", description="Signs receipts (Ed25519): base64url of 32 random bytes, no padding"
    )
    receipt_old_keys: str = Field(default="", description="Comma-separated public keys of earlier receipts")
    public_url: str = Field(default="http://localhost:8000", description="Where a browser reaches `web`")
    host: str = "127.0.0.1"
    port: int = 8000
    environment: Literal["production", "demo", "test"] = "production"
    trusted_proxies: str = Field(default="", description="Comma-separated networks whose X-Forwarded-For is believed")
    client_dir: str = Field(default="web/client/dist", description="The built client")

    stripe_api_base: str = Field(default="https://api.stripe.com", description="The sandbox, or Stripe itself")
    stripe_public_base: str = Field(default="", description="Where a browser reaches the sandbox's own pages")
    stripe_secret_key: str = Field(min_length=8, description="sk_test_… or the sandbox's key")
    stripe_webhook_secret: str = Field(min_length=8, description="whsec_…")
    stripe_publishable_key: str = Field(default="", description="pk_…: Stripe's own card fields; not for the sandbox")
    stripe_timeout_s: float = 10.0
    approval_above_minor: int = Field(
        default=10_000,
        ge=0,
        description="A refund or release above so many minor units (cents, yen) needs a second person",
    )
    stripe_workers: int = Field(
        default=1, ge=1, description="How many `worker` processes share the Stripe account and so its rate limits"
    )

    mail_url: str = Field(
        default="",
        pattern="^$|^smtps?://.|^file:///.",
        description="smtp://user:password@host:587, smtps://… or file:///folder. Empty: no mail is sent",
    )
    mail_from: str = Field(
        default="Consultant Connect <no-reply@localhost>", description="Whom mails come from, as people see it"
    )

    media_control_token: str = Field(min_length=32, description="Shared secret of `web` and `media`")
    media_host: str = Field(default="127.0.0.1", description="Address the node's control API listens on")
    media_control_port: int = Field(default=0, description="0 picks a free one; it is announced in the database")
    media_addresses: str = Field(default="", description="Comma-separated; where media sockets are bound. Empty: all")
    media_public_address: str = Field(default="", description="Told to browsers instead, behind NAT with 1:1 ports")
    media_udp_ports: str = Field(default="", description="first-last of this node's media sockets. Empty: any")
    media_capacity: int = Field(default=150, ge=1, description="Calls one media process takes")
    media_drain_s: float = Field(
        default=0, ge=0, description="How long a stopping media process lets its calls go on before they move"
    )
    encoder_dir: str = Field(
        default="", description="Where the sentence encoder's graph is written. Empty: matching goes by words alone"
    )
    recordings_dir: str = Field(default="", description="Shared by `media`, `web` and `worker`. Empty: no recording")
    recording_days: int = Field(default=30, ge=1, description="How long recordings are kept")
    attachments_dir: str = Field(default="", description="Shared by `web` and `worker`. Empty: no files at questions")
    attachment_days: int = Field(default=30, ge=1, description="How long files attached to questions are kept")
    media_relay_only: bool = Field(default=False, description="Browsers reach media only through TURN")
    turn_urls: str = Field(default="", description="Comma-separated turn: and turns: addresses told to browsers")
    turn_secret: str = Field(default="", description="The relay's static-auth-secret")
    turn_ttl_s: int = Field(default=43_200, ge=60, description="How long a connection's TURN credentials are good for")
    media_node_id: str = Field(default="", description="Empty: made from host name and process id")

    rate_limit_login_per_min: int = 5
    rate_limit_api_per_min: int = 100

    ring_s: int = 20
    ring_widen_after_s: int = 60
    promise_s: int = 120
    prepare_join_s: int = 60
    authenticate_s: int = 120
    lost_s: int = 90
    rescue_s: int = 600
    presence_grace_s: int = 30

    @property
    def demo(self) -> bool:
        """Whether demo conveniences (the demo clock, the robot, printed log-ins) are on."""
        return self.environment == "demo"

    @cached_property
    def proxy_networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """The networks named in ``trusted_proxies``."""
        return tuple(ip_network(part.strip()) for part in self.trusted_proxies.split(",") if part.strip())
