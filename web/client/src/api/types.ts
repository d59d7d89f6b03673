// Owns the names under which the screens know what crosses the wire; the shapes come from the server's own schemas.
import type { Account as AccountOut, Currency, GivenBackOut, MatchOut, PresenceView, ReceiptOut, SignedIn } from './schema'

export type {
  BillOut as Bill,
  CardOut as Card,
  CardsOut as Cards,
  HoldOut as HoldTime,
  MonthOut as Month,
  SetupOut as CardSetup,
  StatementOut as Statement,
} from './schema'
export type {
  AccountOut as PayoutAccountRow,
  AccountsOut as PayoutAccounts,
  AdjustableOut as Adjustable,
  AdjustmentIn,
  AdjustmentOut as Adjustment,
  AdjustmentPlanOut as AdjustmentPlan,
  ApprovalOut as Approval,
  ApprovalsOut as Approvals,
  AuditsOut as Audits,
  CaseOut as Case,
  CasesOut as Cases,
  ChargeRowOut as ChargeRow,
  ChargesOut as ChargePage,
  DetailOut as ChargeDetail,
  DisputeOut as Dispute,
  DisputesOut as Disputes,
  EvidenceOut as Evidence,
  MonthsOut as BookMonths,
  OverviewOut as Overview,
  PayoutAccountOut as PayoutAccount,
  PayoutDetailOut as PayoutDetail,
  PayoutLineOut as PayoutLine,
  PayoutOut as Payout,
  PayoutsOut as Payouts,
  PreviewOut as RefundPreview,
  ProblemOut as CallProblem,
  ProblemsOut as CallProblems,
  RefundIn,
  RefundOut as Refund,
  ReleasedOut as Released,
  RunOut as Run,
  RunsOut as Runs,
  ScheduleOut as Schedule,
  InvoicesOut as Invoices,
  ViewsOut as Views,
  BookMonthOut as BookMonth,
} from './schema'
export type {
  DayFiguresOut as DayFigures,
  HouseTermsOut as HouseTerms,
  LearningOut as Learning,
  MeasuredOut as Measured,
  ModelOut as LearningModel,
  RefitOut as Refit,
  VerdictReasonOut as VerdictReason,
  AttachmentOut as Attachment,
  AttachmentsOut as Attachments,
  ConsultantPage,
  FairnessOut as Fairness,
  FactorOut as Factor,
  SimilarOut as Similar,
  TypingOut as TypingAid,
  WhyNotOut as WhyNot,
} from './schema'
export type { ConsultantCard, MatchesOut as Matches, QuestionOut as Question, History as Past, ProfileOut as Profile, TermsOut as Terms } from './schema'
export type {
  CallSummary,
  CallView,
  ChatMessage,
  MeterView,
  OfferView,
  Participant,
  PresenceView,
  Reason,
  RequestView,
  WishView as Wish,
  Snapshot,
} from '../socket/protocol'
export type { JoinAck as JoinReply } from '../socket/protocol'

export type Account = Omit<AccountOut, 'roles' | 'locale'> & { roles: Role[]; locale: Locale }
export type Login = Omit<SignedIn, 'account'> & { account: Account }
export type Match = MatchOut
export const currencies: Currency[] = ['eur', 'usd', 'gbp', 'chf', 'jpy']
export type PresenceStatus = PresenceView['status']
export type Policy = 'whole_call' | 'after_threshold'

export type Role = 'customer' | 'consultant' | 'finance' | 'admin'
export type Side = 'customer' | 'consultant'
export type Locale = 'en' | 'de'
type Iso = string

export interface ConsultantHome {
  online_ms: number
  in_call_ms: number
  utilisation_bps: number
  earned_minor: number
  currency: string | null
}
export interface Totals {
  currency: string
  gross_minor: number
  commission_minor: number
  net_minor: number
  count?: number
}
export interface ReceiptLine {
  kind: 'talk' | 'unbilled' | 'free' | 'cap'
  from: Iso | null
  to: Iso | null
  duration_ms: number
  cause: string | null
  amount_minor: number
}
export interface TimelineItem {
  at: Iso
  kind: string
  detail: unknown
}
export interface Receipt {
  call_id: string
  reference: string
  role: Side
  state: string
  review_until: string | null
  question_title: string
  other_name: string
  started_at: Iso | null
  ended_at: Iso | null
  close_reason: string | null
  connected_ms: number
  billed_ms: number
  lines: ReceiptLine[]
  rate_minor_per_hour: number
  policy: Policy
  threshold_ms: number
  cap_minor: number
  currency: string
  gross_minor: number
  commission_minor: number
  net_minor: number
  held_minor: number
  released_minor: number
  released_at: Iso | null
  captured_at: Iso | null
  consent: { terms_version: string; at: Iso } | null
  timeline: TimelineItem[]
  tax_mode: ReceiptOut['tax_mode']
  tax: ReceiptOut['tax']
  tax_rate_bps: number
  net_of_vat_minor: number
  vat_minor: number
  invoice_number: string | null
  evidence: { entries: number; last_hash: string | null; broken_at: number | null }
  given_back: GivenBackOut[]
  paid_minor: number
}

export type Facts = Record<string, unknown>
