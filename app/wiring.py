"""Wiring: settings → adapters → services, by hand, in the order in which they need one another."""

import sys
from datetime import timedelta
from pathlib import Path

from pydantic import ValidationError
from redis.asyncio import Redis

from app.flow import flow
from app.persons import party_of, reader_of
from billing.account_watch import AccountWatch
from billing.adjustments.service import AdjustmentService
from billing.card_news import CardNews
from billing.cards import CardService
from billing.charges.rescue import RescueService
from billing.charges.service import ChargeService
from billing.collection.service import CollectionService
from billing.credits.service import CreditService
from billing.disputes.errand import KINDS as DISPUTE_KINDS
from billing.disputes.errand import DisputeErrand
from billing.disputes.service import DisputeService
from billing.finance.service import FinanceService
from billing.mails.service import MailService
from billing.metering.service import MeterService
from billing.payout_accounts import PayoutAccountService
from billing.payouts.on_request import PayoutsOnRequest
from billing.payouts.service import PayoutService
from billing.problems.service import ProblemService
from billing.proof.service import ProofService
from billing.proof.signing import ReceiptSigner
from billing.provider.gateway import StripeGateway
from billing.provider.limiter import Limiter
from billing.receipts import ReceiptService
from billing.reconciliation.service import ReconciliationService
from billing.refunds.errand import KINDS as REFUND_KINDS
from billing.refunds.errand import RefundErrand
from billing.refunds.service import RefundService
from billing.webhooks import WebhookService
from core.clock import Clock, SystemClock
from core.db import Database, Tx
from core.events import Bus
from core.ids import CallId, QuestionId, UserId
from core.jobs import Jobs
from core.mail import mailer_of
from core.settings import Settings
from matching.attachments.service import AttachmentService
from matching.consultants.projection import ConsultantProjection
from matching.dispatch.fairness import FairnessService
from matching.dispatch.request import RingTimes
from matching.dispatch.requests import RequestService
from matching.dispatch.wishes import WishService
from matching.learning.models_store import ModelBook
from matching.learning.outcomes_log import OutcomeLog
from matching.learning.refit import RefitService
from matching.questions import question_store
from matching.questions.ranking import RankingService
from matching.questions.service import QuestionService
from matching.questions.typing_aid import TypingAid
from matching.ranking.index import minilm
from matching.ranking.logistic import LogisticRanker
from matching.ranking.model import built_in
from media.nodes import NodeDirectory
from media.observed import observed_ms
from media.recordings import RecordingService
from media.samples import QualityService, Sample
from media.sessions import SessionService
from people.accounts import AccountService
from people.billing_details import BillingDetailsService
from people.blocks import BlockService
from people.consents import ConsentService
from people.passwords import COST, Passwords
from people.profiles import ProfileService
from people.ratings import RatingService
from people.tokens import TokenService
from signaling.call_views import CallViews
from signaling.calls import CallService
from signaling.chat import ChatService
from signaling.gateway import Gateway
from signaling.messages import MediaStats
from signaling.ports import Session
from signaling.presence import PresenceService
from signaling.returns import ReturnService
from web.context import House

# Version zero of the ranking model, files of matching/fitted: by words alone, and with the sentence encoder.
MODEL, SEMANTIC_MODEL = "logistic-3", "logistic-3-semantic"


def load_settings() -> Settings:
    """The settings of the environment; ends the process with one readable line when one is missing or wrong."""
    try:
        return Settings()
    except ValidationError as error:
        lines = [f"  {'.'.join(map(str, item['loc'])).upper()}: {item['msg']}" for item in error.errors()]
        sys.exit("Settings are missing or wrong (set them in the environment):\n" + "\n".join(lines))


def build(settings: Settings, *, clock: Clock | None = None, bcrypt_cost: int = COST) -> House:
    """Every service of a process. Nothing connects before it is used."""
    clock = clock or SystemClock()
    bus = Bus()
    jobs = Jobs(settings.database_url)
    db = Database(settings.database_url, clock=clock, bus=bus, jobs=jobs)

    tokens = TokenService(settings.secret_key, clock)
    profiles = ProfileService()
    consents = ConsentService()
    billing_details = BillingDetailsService()
    accounts = AccountService(tokens, profiles, consents, Passwords(bcrypt_cost))

    provider = StripeGateway(
        api_key=settings.stripe_secret_key,
        api_base=settings.stripe_api_base,
        webhook_secret=settings.stripe_webhook_secret,
        timeout_s=settings.stripe_timeout_s,
        limiter=Limiter.part(settings.stripe_workers),
    )
    cards = CardService(db=db, gateway=provider, settings=settings)
    limit = settings.approval_above_minor
    payouts = PayoutService(db=db, gateway=provider, approval_above_minor=limit)
    payout_accounts = PayoutAccountService(db=db, gateway=provider, settings=settings, payouts=payouts)
    account_watch = AccountWatch(db=db, accounts=payout_accounts)
    charges = ChargeService(
        db=db, gateway=provider, settings=settings, observed=observed_ms, party=party_of(billing_details)
    )
    refunds = RefundService(db=db, gateway=provider, approval_above_minor=limit)
    disputes = DisputeService(db=db, gateway=provider)
    charges.employ(REFUND_KINDS, RefundErrand(provider))
    charges.employ(DISPUTE_KINDS, DisputeErrand(provider))
    webhooks = WebhookService(
        db=db,
        gateway=provider,
        charges=charges,
        cards=CardNews(db=db, gateway=provider),
        accounts=payout_accounts,
        payouts=payouts,
        refunds=refunds,
        disputes=disputes,
    )
    collection = CollectionService(settings)
    reconciliation = ReconciliationService(db=db, gateway=provider, payouts=payouts, catch_up=webhooks.catch_up)

    mails = MailService(mailer=mailer_of(settings), reader=reader_of(accounts), public_url=settings.public_url)

    encoder = minilm.load(Path(settings.encoder_dir)) if settings.encoder_dir else None
    models = ModelBook(built_in(MODEL if encoder is None else SEMANTIC_MODEL))
    consultants = ConsultantProjection(profiles.consultant_profile, profiles.names, encoder=encoder, models=models)
    ranker = LogisticRanker(lambda: models.current)
    ranking = RankingService(consultants, ranker)
    refit = RefitService(db, models)

    async def has_card(tx: Tx, user: UserId) -> bool:
        return await cards.ready(tx, user)

    async def describe_question(tx: Tx, question: QuestionId) -> tuple[str, str]:
        row = await question_store.get(tx, question)
        return row.title, row.details

    times = RingTimes(
        ring=timedelta(seconds=settings.ring_s),
        widen_after=timedelta(seconds=settings.ring_widen_after_s),
        promise=timedelta(seconds=settings.promise_s),
    )
    requests = RequestService(ranking, has_card, profiles.names, times, owes=collection.limits)

    sessions = SessionService()
    recordings = RecordingService(settings)
    views = CallViews(
        settings=settings,
        names=profiles.names,
        describe_question=describe_question,
        recording_of=recordings.state,
    )
    calls = CallService(settings=settings, sessions=sessions, views=views)
    house = House(
        settings=settings,
        clock=clock,
        db=db,
        jobs=jobs,
        bus=bus,
        redis=Redis.from_url(settings.redis_url, socket_timeout=1, socket_connect_timeout=1),
        accounts=accounts,
        tokens=tokens,
        profiles=profiles,
        consents=consents,
        billing_details=billing_details,
        ratings=RatingService(),
        blocks=BlockService(),
        presence=PresenceService(settings=settings, missing=profiles.missing),
        calls=calls,
        returns=ReturnService(settings=settings, sessions=sessions, views=views, calls=calls),
        chat=ChatService(calls=calls),
        questions=QuestionService(consultants),
        consultants=consultants,
        ranking=ranking,
        requests=requests,
        attachments=AttachmentService(settings),
        typing_aid=TypingAid(consultants, ranker),
        fairness=FairnessService(consultants, ranker),
        wishes=WishService(consultants, profiles.names),
        outcomes=OutcomeLog(),
        models=models,
        refit=refit,
        sessions=sessions,
        recordings=recordings,
        quality=QualityService(),
        nodes=NodeDirectory(settings, db),
        charges=charges,
        rescues=RescueService(),
        meter=MeterService(observed_ms),
        provider=provider,
        cards=cards,
        payout_accounts=payout_accounts,
        account_watch=account_watch,
        payouts=payouts,
        payouts_on_request=PayoutsOnRequest(db=db, gateway=provider, payouts=payouts),
        refunds=refunds,
        adjustments=AdjustmentService(approval_above_minor=limit),
        disputes=disputes,
        collection=collection,
        credits=CreditService(),
        reconciliation=reconciliation,
        problems=ProblemService(refunds),
        webhooks=webhooks,
        finance=FinanceService(reconciliation),
        mails=mails,
        receipts=ReceiptService(),
        proof=ProofService(ReceiptSigner(settings.receipt_key, settings.receipt_old_keys)),
    )
    bus.connect(flow(house))
    cards.register(jobs)
    account_watch.register(jobs)
    charges.register(jobs)
    payouts.register(jobs)
    house.payouts_on_request.register(jobs)
    reconciliation.register(jobs)
    refit.register(jobs)
    webhooks.register(jobs)
    return house


def build_gateway(house: House) -> Gateway:
    """The socket gateway of a ``web`` process, with the parts its snapshots are made of."""

    async def authenticate(token: str) -> Session:
        claims = house.tokens.read(token)
        async with house.db.begin() as tx:
            who = await house.tokens.principal(tx, claims)
        return Session(who.user_id, who.roles, str(who.family_id), claims.expires_at)

    async def note_quality(tx: Tx, call_id: CallId, side: str, said: MediaStats) -> None:
        sample = Sample(**said.model_dump(exclude={"v", "call_id"}))
        await house.quality.note(tx, call_id, side, sample)

    return Gateway(
        db=house.db,
        clock=house.clock,
        redis_url=house.settings.redis_url,
        origins=origins(house.settings),
        authenticate=authenticate,
        calls=house.calls,
        presence=house.presence,
        chat=house.chat,
        nodes=house.nodes,
        note_quality=note_quality,
        names=house.profiles.names,
        parts={
            "request": house.requests.request_view,
            "wishes": house.wishes.view,
            "offers": house.requests.offers_view,
            "call": house.calls.current,
            "presence": house.presence.view,
            "meter": house.meter.view,
        },
    )


def origins(settings: Settings) -> list[str]:
    """Where a page may come from that opens a socket; on this machine both of its names."""
    url = settings.public_url
    return [url, url.replace("//localhost", "//127.0.0.1")] if settings.environment != "production" else [url]


async def close(house: House) -> None:
    """Close every connection of a house."""
    await house.nodes.close()
    await house.provider.close()
    await house.redis.aclose()
    await house.db.close()
