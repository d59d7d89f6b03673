"""What the HTTP edge can reach: the house of services, built by hand in ``app/wiring.py``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from billing.account_watch import AccountWatch
    from billing.adjustments.service import AdjustmentService
    from billing.cards import CardService
    from billing.charges.rescue import RescueService
    from billing.charges.service import ChargeService
    from billing.collection.service import CollectionService
    from billing.credits.service import CreditService
    from billing.disputes.service import DisputeService
    from billing.finance.service import FinanceService
    from billing.mails.service import MailService
    from billing.metering.service import MeterService
    from billing.payout_accounts import PayoutAccountService
    from billing.payouts.on_request import PayoutsOnRequest
    from billing.payouts.service import PayoutService
    from billing.problems.service import ProblemService
    from billing.proof.service import ProofService
    from billing.provider.gateway import StripeGateway
    from billing.receipts import ReceiptService
    from billing.reconciliation.service import ReconciliationService
    from billing.refunds.service import RefundService
    from billing.webhooks import WebhookService
    from core.clock import Clock
    from core.db import Database
    from core.events import Bus
    from core.jobs import Jobs
    from core.settings import Settings
    from matching.attachments.service import AttachmentService
    from matching.consultants.projection import ConsultantProjection
    from matching.dispatch.fairness import FairnessService
    from matching.dispatch.requests import RequestService
    from matching.dispatch.wishes import WishService
    from matching.learning.models_store import ModelBook
    from matching.learning.outcomes_log import OutcomeLog
    from matching.learning.refit import RefitService
    from matching.questions.ranking import RankingService
    from matching.questions.service import QuestionService
    from matching.questions.typing_aid import TypingAid
    from media.nodes import NodeDirectory
    from media.recordings import RecordingService
    from media.samples import QualityService
    from media.sessions import SessionService
    from people.accounts import AccountService
    from people.billing_details import BillingDetailsService
    from people.blocks import BlockService
    from people.consents import ConsentService
    from people.profiles import ProfileService
    from people.ratings import RatingService
    from people.tokens import TokenService
    from signaling.calls import CallService
    from signaling.chat import ChatService
    from signaling.presence import PresenceService
    from signaling.returns import ReturnService


@dataclass(frozen=True, slots=True)
class House:
    """Every service a route may call, one instance per process."""

    settings: Settings
    clock: Clock
    db: Database
    jobs: Jobs
    bus: Bus
    redis: Redis

    accounts: AccountService
    tokens: TokenService
    profiles: ProfileService
    consents: ConsentService
    billing_details: BillingDetailsService
    ratings: RatingService
    blocks: BlockService

    presence: PresenceService
    calls: CallService
    returns: ReturnService
    chat: ChatService

    questions: QuestionService
    consultants: ConsultantProjection
    ranking: RankingService
    requests: RequestService
    attachments: AttachmentService
    typing_aid: TypingAid
    fairness: FairnessService
    wishes: WishService
    outcomes: OutcomeLog
    models: ModelBook
    refit: RefitService

    sessions: SessionService
    recordings: RecordingService
    quality: QualityService
    nodes: NodeDirectory

    charges: ChargeService
    rescues: RescueService
    meter: MeterService
    provider: StripeGateway
    cards: CardService
    payout_accounts: PayoutAccountService
    account_watch: AccountWatch
    payouts: PayoutService
    payouts_on_request: PayoutsOnRequest
    refunds: RefundService
    adjustments: AdjustmentService
    disputes: DisputeService
    collection: CollectionService
    credits: CreditService
    reconciliation: ReconciliationService
    problems: ProblemService
    webhooks: WebhookService
    finance: FinanceService
    mails: MailService
    receipts: ReceiptService
    proof: ProofService


HOUSE = web.AppKey("house", House)
