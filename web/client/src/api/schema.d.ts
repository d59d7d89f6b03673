// Generated from the route table by `npm run types`; not edited by hand.

export type AcceptedOut = {
  call_id: string
}

export type Account = {
  id: string
  email: string
  display_name: string
  roles: (string)[]
  locale: string
  time_zone: string
  consents: (AgreedDocument)[]
}

export type AccountOut = {
  consultant_id: string
  consultant_name: string
  account_id: string | null
  country: string | null
  can_receive: boolean
  payouts_enabled: boolean
  schedule: ScheduleOut | null
  wanted_schedule: ScheduleOut
  requirements_due: (string)[]
  disabled_reason: string | null
  held_reason: string | null
  held_at: string | null
  balances: (BalanceOut)[]
  release_asked: boolean
}

export type AccountPatch = {
  display_name?: string | null
  locale?: "en" | "de" | null
  time_zone?: string | null
}

export type AccountsOut = {
  items: (AccountOut)[]
}

export type ActivateIn = {
  reason: string
}

export type AddressQuery = {
  until: number
  signature: string
  download?: boolean
}

export type AdjustableOut = {
  accounts: (string)[]
}

export type AdjustmentIn = {
  kind: "waive" | "correction"
  source?: string | null
  destination?: string | null
  amount_minor?: number | null
  note: string
  idempotency_key: string
}

export type AdjustmentOut = {
  id: string
  kind: "waive" | "correction"
  amount_minor: number
  currency: Currency
  source: string | null
  destination: string | null
  note: string
  state: string
  requested_at: string
  finished_at: string | null
}

export type AdjustmentPlanOut = {
  kind: "waive" | "correction"
  amount_minor: number
  currency: Currency
  postings: (PlannedPosting)[]
  four_eyes: boolean
}

export type AdjustmentQuery = {
  kind: "waive" | "correction"
  source?: string | null
  destination?: string | null
  amount_minor?: number | null
}

export type AgreedDocument = {
  document: string
  version: string
  at: string
}

export type AgreementIn = {
  document: "terms" | "privacy" | "consultant_agreement"
  version: string
}

export type Alive = {
  status: string
}

export type ApprovalDecisionIn = {
  approved: boolean
}

export type ApprovalOut = {
  id: string
  kind: "refund" | "release" | "waive" | "correction"
  subject_id: string
  amount_minor: number
  currency: Currency
  asked_at: string
  asked_by_name: string
  note: string
  mine: boolean
}

export type ApprovalsOut = {
  items: (ApprovalOut)[]
}

export type AskedAllOut = {
  items: (AskedOut)[]
}

export type AskedOut = {
  amount_minor: number
  currency: Currency
  asked_at: string
  refused: boolean
  code: string | null
}

export type AttachmentOut = {
  id: string
  name: string
  media_type: string
  bytes: number
  created_at: string
  expires_at: string
}

export type AttachmentsOut = {
  items: (AttachmentOut)[]
}

export type AuditOut = {
  id: number
  at: string
  actor_name: string
  action: string
  subject: string
  details: Record<string, unknown>
}

export type AuditQuery = {
  before?: number | null
}

export type AuditsOut = {
  items: (AuditOut)[]
}

export type Authenticate = {
  url: string
}

export type BalanceOut = {
  currency: Currency
  amount_minor: number
}

export type BillOut = {
  call_id: string
  reference: string
  billed_at: string
  ended_at: string | null
  other_name: string
  connected_ms: number
  gross_minor: number
  commission_minor: number
  net_minor: number
  paid_minor: number
  refunded_minor: number
  credited_minor: number
  currency: Currency
  state: string
}

export type BillTotalOut = {
  currency: Currency
  gross_minor: number
  commission_minor: number
  net_minor: number
  paid_minor: number
  refunded_minor: number
  credited_minor: number
  count: number
}

export type BillingDetailsIn = {
  country: string
  vat_id: string | null
  small_business: boolean
  name: string | null
  address: string | null
}

export type BillingDetailsOut = {
  country: string | null
  vat_id: string | null
  small_business: boolean
  name: string | null
  address: string | null
  countries: (string)[]
}

export type BinOut = {
  n: number
  foretold: number
  came_true: number
}

export type BookMonthOut = {
  month: string
  closed_at: string | null
  figures: Record<string, unknown>
}

export type CallQuestion = {
  id: string
  title: string
  details: string
}

export type CallSummary = {
  id: string
  reference: string
  state: "preparing" | "live" | "interrupted" | "ended"
  close_reason: string | null
  role: "customer" | "consultant"
  other: Person
  question_title: string
  created_at: string
  live_at: string | null
  ended_at: string | null
  continues_call_id: string | null
}

export type CallView = {
  id: string
  reference: string
  state: "preparing" | "live" | "interrupted" | "ended"
  close_reason: string | null
  role: "customer" | "consultant"
  other: Person
  question: CallQuestion
  created_at: string
  live_at: string | null
  ended_at: string | null
  deadline_at: string | null
  media_ready: boolean
  media_epoch: number
  participants: Participants
  pause: PauseView | null
  recording: RecordingView
  demo: boolean
  continues_call_id: string | null
}

export type CardOut = {
  payment_method_id: string
  brand: string
  last4: string
  exp_month: number
  exp_year: number
  default: boolean
  expired: boolean
}

export type CardsOut = {
  items: (CardOut)[]
}

export type CaseOut = {
  id: string
  charge_id: string | null
  kind: string
  details: Record<string, unknown>
  opened_at: string
  closed_at: string | null
  resolution: string | null
}

export type CasesOut = {
  items: (CaseOut)[]
}

export type CasesQuery = {
  closed?: boolean
}

export type Category = "consultant_absent" | "no_media" | "charged_twice" | "amount" | "quality" | "conduct" | "other"

export type ChargeRowOut = {
  call_id: string
  charge_id: string
  reference: string
  at: string
  customer_name: string
  consultant_name: string
  connected_ms: number
  billed_ms: number
  gross_minor: number
  commission_minor: number
  net_minor: number
  refunded_minor: number
  credited_minor: number
  currency: Currency
  state: string
}

export type ChargesOut = {
  items: (ChargeRowOut)[]
  totals: (TotalOut)[]
  next_cursor: string | null
}

export type Chat = {
  items: (ChatMessage)[]
}

export type ChatMessage = {
  v: 1
  call_id: string
  seq: number
  client_id: string
  author_id: string
  author_role: "customer" | "consultant"
  text: string
  sent_at: string
}

export type CloseIn = {
  resolution: string
}

export type CompleteIn = {
  make_default?: boolean
}

export type ConsentOut = {
  terms_version: string
  at: string
}

export type ConsultantCard = {
  user_id: string
  display_name: string
  headline: string
  biography: string
  tags: (string)[]
  languages: (string)[]
  time_zone: string
  rate_minor_per_hour: number
  currency: Currency
  rating: number | null
  rating_count: number
  response_s: number | null
  status: string
}

export type ConsultantPage = {
  items: (ConsultantCard)[]
  online_count: number
  next_cursor: string | null
}

export type ConsultantQuery = {
  q?: string
  name?: string
  online?: boolean
  cursor?: number
}

export type Currency = "eur" | "usd" | "gbp" | "chf" | "jpy"

export type CurrencyOverview = {
  currency: Currency
  captured_minor: number
  held_minor: number
  released_minor: number
  commission_minor: number
  payable_minor: number
  fees_minor: number
  difference_minor: number
}

export type DayFiguresOut = {
  questions: number
  rung: number
  answered: number
  answered_in_time: number
  met_in_time: number
  median_s: number | null
  p95_s: number | null
  connected: number
  completed: number
  refunded_share: number | null
  stars: number | null
  stars_count: number
  placed: number
  mrr10: number | null
  hit3: number | null
  newcomer_contacts: number
  calibration_error: number | null
  day: string
}

export type DeclineIn = {
  reason: "busy" | "not_my_field" | "price" | "other"
  note?: string | null
}

export type DemoSessionIn = {
  role: "customer" | "consultant" | "finance" | "admin"
}

export type DetailOut = {
  row: ChargeRowOut
  snapshot: Record<string, unknown>
  intervals: (IntervalOut)[]
  timeline: (EntryOut)[]
  holds: (Record<string, unknown>)[]
  commands: (Record<string, unknown>)[]
  transactions: (TransactionOut)[]
  cases: (CaseOut)[]
  refunds: (Record<string, unknown>)[]
  adjustments: (Record<string, unknown>)[]
  disputes: (Record<string, unknown>)[]
  collection: Record<string, unknown> | null
  recomputed: RecomputedOut
}

export type DisputeOut = {
  id: string
  provider_id: string
  charge_id: string
  reference: string
  customer_name: string
  consultant_name: string
  amount_minor: number
  share_minor: number
  fee_minor: number
  currency: Currency
  reason: string
  status: string
  due_at: string | null
  opened_at: string
  closed_at: string | null
  submitted_at: string | null
  handed_in: boolean
}

export type DisputesOut = {
  items: (DisputeOut)[]
}

export type DisputesQuery = {
  closed?: boolean
}

export type Document = Record<string, unknown>

export type DocumentOut = {
  document: "terms" | "privacy" | "consultant_agreement"
  version: string
  url: string
}

export type EarnedOut = {
  currency: Currency
  net_minor: number
  per_online_hour_minor: number | null
}

export type EffectOut = {
  kind: "accepted" | "declined" | "missed"
  count: number
  response_ms_without: number | null
  p_accept_without_bps: number
  score_change_centi: number
  ring_change_bps: number
}

export type Empty = Record<string, never>

export type EntryOut = {
  at: string
  kind: string
  detail: Record<string, unknown>
}

export type Error = {
  error: {
  code: string
  message: string
  details: Record<string, unknown>
  request_id: string
}
}

export type EstimateOut = {
  minutes: number
  minor: number
}

export type EvidenceIn = {
  remark?: string
}

export type EvidenceOut = {
  fields: Record<string, string>
  handed_in: boolean
}

export type ExtendIn = {
  idempotency_key: string
}

export type FactorOut = {
  factor: string
  value: number
  weight: number
  contribution_centi: number
  sum: SumOut | null
}

export type FairnessOut = {
  period: "day" | "week" | "month"
  since: string
  received: number
  withdrawn: number
  effects: (EffectOut)[]
  response_ms: number | null
  p_accept_bps: number
  free_calls: number
  free_ms: number
  online_ms: number
  earned: (EarnedOut)[]
  model_version: string
  ring_version: string
}

export type FairnessQuery = {
  period?: "day" | "week" | "month"
}

export type FiguresOut = {
  questions: number
  rung: number
  answered: number
  answered_in_time: number
  met_in_time: number
  median_s: number | null
  p95_s: number | null
  connected: number
  completed: number
  refunded_share: number | null
  stars: number | null
  stars_count: number
  placed: number
  mrr10: number | null
  hit3: number | null
  newcomer_contacts: number
  calibration_error: number | null
}

export type FilterQuery = {
  state?: string | null
  currency?: Currency | null
  from?: string | null
  to?: string | null
  q?: string | null
  min_minor?: number | null
  free?: boolean | null
  min_connected_ms?: number | null
  capture_failed?: boolean | null
}

export type GapOut = {
  factor: string
  value: number
  contribution_centi: number
  other_value: number
  other_contribution_centi: number
  difference_centi: number
}

export type GateOut = {
  min_training: number
  min_holdout: number
  ranking_margin: number
  calibration_margin: number
  calibration_good: number
}

export type GivenBackOut = {
  by: "refund" | "credit" | "bank"
  amount_minor: number
  share_minor: number
  at: string | null
  credit_note: string | null
}

export type History = {
  items: (CallSummary)[]
  bills: (PastBill)[]
  next_cursor: string | null
}

export type HistoryQuery = {
  cursor?: string | null
  limit?: number
}

export type HoldIn = {
  reason: string
}

export type HoldOut = {
  late_hold_ms: number | null
}

export type HomeOut = {
  online_ms: number
  in_call_ms: number
  utilisation_bps: number
  earned_minor: number
  currency: Currency | null
}

export type HouseTermsIn = {
  after: number
  late_hold: boolean
  review_window_s: number
  reason: string
}

export type HouseTermsOut = {
  version: number
  late_hold: boolean
  late_hold_ms: number
  review_window_s: number
  paid_calls: number
  clean_days: number
  versions: (TermsVersionOut)[]
}

export type IceServer = {
  urls: (string)[]
  username?: string | null
  credential?: string | null
}

export type IntervalOut = {
  n: number
  started_at: string
  duration_ms: number
  open: boolean
  cause: string | null
}

export type InvoicesOut = {
  items: (IssuedOut)[]
  next_cursor: string | null
}

export type InvoicesQuery = {
  q?: string
  from?: string | null
  to?: string | null
  cursor?: string | null
}

export type IssuedOut = {
  number: string
  kind: "invoice" | "credit_note" | "credit"
  issued_at: string
  customer_name: string
  consultant_name: string
  gross_minor: number
  vat_minor: number
  currency: Currency
  reference: string
  charge_id: string
}

export type JournalQuery = {
  month: string
}

export type KeyOut = {
  kty: string
  crv: string
  kid: string
  x: string
  use: string
  alg: string
}

export type KeysOut = {
  keys: (KeyOut)[]
}

export type KeywordsIn = {
  text: string
}

export type KeywordsOut = {
  tags: (string)[]
  keywords: (string)[]
}

export type LateHold = {
  due_ms: number
  state: "later" | "asked" | "stands" | "missed"
}

export type LearningOut = {
  days: (DayFiguresOut)[]
  whole: FiguresOut
  bins: (BinOut)[]
  models: (ModelOut)[]
  refit: RefitOut | null
  gate: GateOut
}

export type LineOut = {
  kind: "talk" | "unbilled" | "free" | "cap"
  from: string
  to: string
  duration_ms: number
  cause: string | null
  amount_minor: number
}

export type LoginIn = {
  email: string
  password: string
}

export type MatchOut = {
  consultant: ConsultantCard
  score: number
  score_centi: number
  factors: (FactorOut)[]
  reasons: (ReasonOut)[]
  concerns: (ReasonOut)[]
  inputs: Record<string, number | boolean>
  price: PriceOut
}

export type MatchQuery = {
  limit?: number
  language?: string | null
  currency?: Currency | null
  max_rate_minor_per_hour?: number | null
  min_stars?: number | null
}

export type MatchesOut = {
  matches: (MatchOut)[]
  alternatives: (MatchOut)[]
  model_version: string
}

export type MaybeProblemOut = {
  problem: ProblemOut | null
}

export type MeasuredOut = {
  questions: number
  mrr10: number
  ndcg10: number
  recall10: number
  hit3: number
  calibration_error: number
  calibration_error_top3: number
}

export type MeterView = {
  call_id: string
  charge_state: string
  currency: Currency
  rate_minor_per_hour: number
  commission_bps: number
  policy: "whole_call" | "after_threshold"
  threshold_ms: number
  cap_minor: number
  held_minor: number
  connected_ms: number
  as_of: string
  running: boolean
  unbilled_cause: string | null
  unbilled_since: string | null
  gross_minor: number
  net_minor: number
  cap_ms: number
  extend_minor: number | null
  authenticate: Authenticate | null
  late_hold: LateHold | null
  final: boolean
  returns_until: string | null
}

export type ModelOut = {
  version: string
  state: "active" | "candidate" | "rejected" | "retired"
  built_in: boolean
  trained_from: string | null
  trained_to: string | null
  samples: number
  candidate: MeasuredOut | null
  current: MeasuredOut | null
  reasons: (VerdictReasonOut)[]
  made_at: string
  promoted_at: string | null
  promoted_by_name: string | null
  reason: string
  figures: FiguresOut | null
}

export type MonthOut = {
  month: string
  currency: Currency
  gross_minor: number
  net_minor: number
  paid_minor: number
  refunded_minor: number
  credited_minor: number
}

export type MonthQuery = {
  month: string
}

export type MonthsOut = {
  items: (BookMonthOut)[]
}

export type NetworkAnswer = {
  probe_id: string
  sdp: string
}

export type NetworkTest = {
  probe_id: string
  sdp: string
  ice_servers: (IceServer)[]
}

export type OnlineIn = {
  online: boolean
}

export type OpenCreditOut = {
  currency: Currency
  amount_minor: number
}

export type OverviewOut = {
  currencies: (CurrencyOverview)[]
}

export type OwedListOut = {
  items: (OwedOut)[]
  limited: boolean
}

export type OwedOut = {
  charge_id: string
  call_id: string
  reference: string
  amount_minor: number
  currency: Currency
  opened_at: string
  next_at: string | null
  last_message: string | null
  authenticate_url: string | null
}

export type OwnPayoutsOut = {
  items: (PayoutOut)[]
  next_cursor: string | null
  asked: (AskedOut)[]
  balances: (BalanceOut)[]
  schedule: ScheduleOut
  held_reason: string | null
  country: string | null
  payouts_enabled: boolean
  requirements_due: (string)[]
}

export type PageQuery = {
  state?: string | null
  currency?: Currency | null
  from?: string | null
  to?: string | null
  q?: string | null
  min_minor?: number | null
  free?: boolean | null
  min_connected_ms?: number | null
  capture_failed?: boolean | null
  cursor?: string | null
  limit?: number
}

export type Participant = {
  seen: boolean
  last_seen_at: string | null
  microphone: boolean
  camera: boolean
  screen: boolean
  video_held: boolean
}

export type Participants = {
  customer: Participant
  consultant: Participant
}

export type PasswordIn = {
  current: string
  new: string
}

export type PastBill = {
  call_id: string
  connected_ms: number
  amount_minor: number
  refunded_minor: number | null
  currency: string
  state: string
}

export type PauseIn = {
  action: "propose" | "agree" | "decline" | "resume"
}

export type PauseView = {
  state: "proposed" | "agreed"
  by: "customer" | "consultant"
  since: string
}

export type PayIn = {
  idempotency_key: string
}

export type PayoutAccountIn = {
  country?: string | null
}

export type PayoutAccountOut = {
  onboarding_url: string | null
  can_receive: boolean
  country: string | null
  stated_country: string | null
  countries: (string)[]
}

export type PayoutDetailOut = {
  payout: PayoutOut
  lines: (PayoutLineOut)[]
}

export type PayoutLineOut = {
  id: string
  kind: string
  amount_minor: number
  fee_minor: number
  net_minor: number
  charge_id: string | null
  call_id: string | null
  reference: string | null
  created_at: string
}

export type PayoutOut = {
  id: string
  consultant_name: string
  amount_minor: number
  currency: Currency
  status: string
  created_at: string
  arrives_at: string | null
  failure_code: string | null
  failure_message: string | null
  lines_minor: number | null
}

export type PayoutsOut = {
  items: (PayoutOut)[]
  next_cursor: string | null
}

export type PayoutsQuery = {
  cursor?: string | null
}

export type PeriodQuery = {
  period?: Span | null
  from?: string | null
  to?: string | null
}

export type Person = {
  user_id: string
  display_name: string
}

export type PlannedPosting = {
  source: string
  destination: string
  amount_minor: number
}

export type PostingOut = {
  source: string
  destination: string
  amount_minor: number
  currency: Currency
}

export type PresenceView = {
  status: "offline" | "available" | "away" | "in_meeting" | "limited"
  switched_on: boolean
  can_go_online: boolean
  missing: (string)[]
  away_reason: string | null
}

export type PreviewIn = {
  title: string
  details?: string
  tags?: (string)[] | null
  language: string
  currency?: Currency | null
  max_rate_minor_per_hour?: number | null
}

export type PreviewOut = {
  amount_minor: number
  commission_minor: number
  share_minor: number
  refundable_minor: number
  left_minor: number
  currency: Currency
  four_eyes: boolean
  postings: (PlannedPosting)[]
}

export type PreviewQuery = {
  amount_minor: number
}

export type PriceOut = {
  per_minute_minor: string
  estimates: (EstimateOut)[]
}

export type ProblemDecisionIn = {
  decision: string
  refund_minor?: number
  reason?: "customer_request" | "quality" | "technical" | "consultant_absent" | "duplicate" | "goodwill" | "other" | null
}

export type ProblemIn = {
  category: Category
  words: string
}

export type ProblemOut = {
  id: string
  charge_id: string
  mine: boolean
  category: Category
  words: string
  opened_at: string
  state: "open" | "awaiting" | "answered" | "decided"
  finding: string
  facts: Record<string, unknown>
  reply: string | null
  decided_at: string | null
  decision: string | null
  refunded: boolean
}

export type ProblemsOut = {
  items: (ProblemOut)[]
}

export type ProfileIn = {
  headline: string
  biography: string
  tags: (string)[]
  rate_minor_per_hour: number | null
  currency: Currency | null
  languages: (string)[]
  time_zone: string
}

export type ProfileOut = {
  display_name: string
  headline: string
  biography: string
  tags: (string)[]
  rate_minor_per_hour: number | null
  currency: Currency | null
  languages: (string)[]
  time_zone: string
  can_receive: boolean
  missing: (string)[]
  complete: boolean
}

export type PromiseCredit = {
  amount_minor: number
  currency: string
}

export type QualityOut = {
  items: (SampleOut)[]
}

export type QuestionIn = {
  title: string
  details?: string
  tags?: (string)[] | null
  language: string
}

export type QuestionList = {
  items: (QuestionOut)[]
}

export type QuestionOut = {
  id: string
  title: string
  details: string
  tags: (string)[]
  language: string
  state: "open" | "withdrawn" | "answered"
  created_at: string
}

export type QuestionPatch = {
  title?: string | null
  details?: string | null
  tags?: (string)[] | null
  language?: string | null
}

export type RatingIn = {
  stars: number
  comment?: string | null
}

export type Ready = {
  status: string
  checks: Record<string, string>
}

export type Reason = "supplier_unstated" | "small_business" | "no_rate" | "customer_unstated" | "domestic" | "outside_eu" | "eu_consumer" | "supplier_unregistered" | "eu_business"

export type ReasonOut = {
  code: string
  params: Record<string, unknown>
}

export type ReceiptOut = {
  call_id: string
  reference: string
  role: "customer" | "consultant"
  state: string
  review_until: string | null
  question_title: string
  other_name: string
  started_at: string
  ended_at: string | null
  close_reason: string | null
  connected_ms: number
  billed_ms: number
  lines: (LineOut)[]
  rate_minor_per_hour: number
  policy: "whole_call" | "after_threshold"
  threshold_ms: number
  cap_minor: number
  currency: Currency
  tax_mode: "inclusive" | "exempt" | "reverse_charge" | "outside_scope"
  tax_rate_bps: number
  tax: TaxedOut
  gross_minor: number
  commission_minor: number
  net_minor: number
  held_minor: number
  released_minor: number
  released_at: string | null
  captured_at: string | null
  consent: ConsentOut
  timeline: (EntryOut)[]
  net_of_vat_minor: number
  vat_minor: number
  invoice_number: string | null
  evidence: SealOut
  given_back: (GivenBackOut)[]
  paid_minor: number
}

export type RecomputedOut = {
  gross_minor: number
  matches: boolean
}

export type RecordingFileOut = {
  id: string
  side: "customer" | "consultant"
  started_at: string
  duration_ms: number
  bytes: number
  finished: boolean
  expires_at: string
  url: string
}

export type RecordingIn = {
  consent: boolean
}

export type RecordingView = {
  possible: boolean
  state: "off" | "asked" | "on"
  by: "customer" | "consultant" | null
}

export type RecordingsOut = {
  items: (RecordingFileOut)[]
}

export type RefiningOut = {
  facet: string
  tags: (string)[]
}

export type RefitOut = {
  id: string
  started_at: string
  stage: "waiting" | "reading" | "fitting" | "judging" | "figures" | "done"
  finished_at: string | null
  outcome: "promoted" | "rejected" | "candidate" | "too_few" | "given_up" | null
  version: string | null
  training: number
  holdout: number
}

export type RefundIn = {
  amount_minor: number
  reason: "customer_request" | "quality" | "technical" | "consultant_absent" | "duplicate" | "goodwill" | "other"
  note?: string
  idempotency_key: string
}

export type RefundOut = {
  id: string
  amount_minor: number
  commission_minor: number
  currency: Currency
  reason: string
  note: string
  state: string
  requested_at: string
  finished_at: string | null
}

export type RegisterIn = {
  email: string
  password: string
  role: "customer" | "consultant"
  display_name: string
  locale: "en" | "de"
  time_zone?: string
  consents: (AgreementIn)[]
}

export type RegisterOut = Record<string, never>

export type ReleaseIn = {
  note: string
}

export type ReleasedOut = {
  released: boolean
}

export type ReplyIn = {
  words: string
}

export type RequestIn = {
  question_id: string
  consultant_id?: string | null
  max_rate_minor_per_hour: number
  currency: Currency
  language?: string | null
  min_stars?: number | null
  cap_minor: number
  terms_version: string
  consent: true
  idempotency_key: string
}

export type RequestView = {
  id: string
  question_id: string
  question_title: string
  state: "ringing" | "matched" | "cancelled" | "exhausted"
  created_at: string
  promise_at: string
  stages: (Stage)[]
  ringing: (Ringing)[]
  call_id: string | null
  waiting_over: boolean
  language: string | null
  min_stars: number | null
  credit: PromiseCredit | null
  position: number | null
  usual_wait_s: number | null
}

export type Ringing = {
  offer_id: string
  consultant_id: string
  consultant_name: string
  rings_until: string
}

export type RunIn = {
  kind: "provider" | "bills"
}

export type RunOut = {
  id: string
  kind: "provider" | "bills"
  started_at: string
  finished_at: string | null
  since: string
  until: string
  checked: number
  differences: number
  totals: Record<string, Record<string, number>>
}

export type RunsOut = {
  items: (RunOut)[]
}

export type SampleOut = {
  at: string
  side: "customer" | "consultant"
  source: "server" | "client"
  rtt_ms: number | null
  loss_permille: number
  jitter_ms: number
  kbps: number
  freezes: number
  video_held: boolean
}

export type ScheduleIn = {
  interval: "manual" | "weekly" | "monthly"
  weekly_anchor?: "monday" | "tuesday" | "wednesday" | "thursday" | "friday" | null
  monthly_anchor?: number | null
  delay_days?: number
}

export type ScheduleOut = {
  interval: "manual" | "daily" | "weekly" | "monthly"
  weekly_anchor: string | null
  monthly_anchor: number | null
  delay_days: number | null
}

export type SealOut = {
  entries: number
  last_hash: string | null
  broken_at: number | null
}

export type SetupOut = {
  setup_intent_id: string
  client_secret: string
  form_url: string | null
  publishable_key: string | null
}

export type SignedIn = {
  access_token: string
  expires_in_s: number
  account: Account
}

export type SimilarIn = {
  title: string
  details?: string
}

export type SimilarOut = {
  question: SimilarQuestionOut | null
}

export type SimilarQuestionOut = {
  id: string
  title: string
}

export type SkipIn = {
  to_connected_ms: number
}

export type Skipped = Record<string, never>

export type Span = "month" | "last_month" | "year" | "all"

export type SpanQuery = {
  days?: number
}

export type Stage = {
  stage: "requested" | "ringing" | "missed" | "declined" | "accepted" | "hold" | "connected"
  at: string
  consultant_id: string | null
  consultant_name: string | null
}

export type StatementOut = {
  starts_at: string | null
  ends_at: string | null
  items: (BillOut)[]
  totals: (BillTotalOut)[]
  year: (string)[]
  months: (MonthOut)[]
  open_credits: (OpenCreditOut)[]
  next_cursor: string | null
}

export type StatementQuery = {
  period?: Span | null
  from?: string | null
  to?: string | null
  cursor?: string | null
}

export type SumOut = {
  weighed: (WeighedOut)[]
  low: number
  scale: number
}

export type TagList = {
  items: (string)[]
}

export type TagQuery = {
  q?: string
}

export type TaxedOut = {
  reason: Reason | null
  supplier_country: string | null
  supplier_vat_id: string | null
  supplier_name: string | null
  supplier_address: string | null
  customer_country: string | null
  customer_vat_id: string | null
  customer_name: string | null
  customer_address: string | null
}

export type TermsOut = {
  documents: (DocumentOut)[]
  policy: "whole_call" | "after_threshold"
  threshold_ms: number
  commission_bps: number
  default_cap_minutes: number
}

export type TermsVersionOut = {
  version: number
  late_hold: boolean
  review_window_s: number
  reason: string
  set_by_name: string
  set_at: string
}

export type TotalOut = {
  currency: Currency
  gross_minor: number
  commission_minor: number
  net_minor: number
  count: number
}

export type TransactionOut = {
  id: string
  at: string
  kind: string
  postings: (PostingOut)[]
}

export type TypingIn = {
  title: string
  details?: string
  tags?: (string)[]
  language: string
}

export type TypingOut = {
  tags: (string)[]
  keywords: (string)[]
  refining: RefiningOut | null
}

export type UploadQuery = {
  name?: string
}

export type VerdictReasonOut = {
  code: string
  params: Record<string, number | string>
}

export type ViewIn = {
  name: string
  search: string
}

export type ViewOut = {
  id: string
  name: string
  search: string
}

export type ViewsOut = {
  items: (ViewOut)[]
}

export type WeighedOut = {
  name: string
  value: number
  weight: number
}

export type WhyNotIn = {
  limit?: number
  language?: string | null
  currency?: Currency | null
  max_rate_minor_per_hour?: number | null
  min_stars?: number | null
  consultant_id: string
}

export type WhyNotOut = {
  outcome: "shown" | "behind" | "busy" | "filtered" | "not_available"
  obstacles: (ReasonOut)[]
  place: number | null
  score_centi: number | null
  last_score_centi: number | null
  last_consultant_id: string | null
  gaps: (GapOut)[]
  model_version: string
}

export interface Routes {
  'GET /api/admin/matching': { body: undefined; reply: LearningOut }
  'POST /api/admin/matching/models/{version}/activate': { body: ActivateIn; reply: undefined }
  'POST /api/admin/matching/refit': { body: undefined; reply: RefitOut }
  'GET /api/admin/terms': { body: undefined; reply: HouseTermsOut }
  'POST /api/admin/terms': { body: HouseTermsIn; reply: HouseTermsOut }
  'DELETE /api/attachments/{attachment_id}': { body: undefined; reply: undefined }
  'GET /api/attachments/{attachment_id}': { body: undefined; reply: undefined }
  'POST /api/auth/login': { body: LoginIn; reply: SignedIn }
  'POST /api/auth/logout': { body: undefined; reply: undefined }
  'POST /api/auth/password': { body: PasswordIn; reply: undefined }
  'POST /api/auth/refresh': { body: undefined; reply: SignedIn }
  'POST /api/auth/register': { body: RegisterIn; reply: RegisterOut }
  'GET /api/calls': { body: undefined; reply: History }
  'GET /api/calls/{call_id}': { body: undefined; reply: CallView }
  'GET /api/calls/{call_id}/attachments': { body: undefined; reply: AttachmentsOut }
  'POST /api/calls/{call_id}/authenticated': { body: Empty; reply: MeterView }
  'POST /api/calls/{call_id}/block': { body: undefined; reply: undefined }
  'GET /api/calls/{call_id}/chat': { body: undefined; reply: Chat }
  'POST /api/calls/{call_id}/demo/skip': { body: SkipIn; reply: Skipped }
  'POST /api/calls/{call_id}/extend': { body: ExtendIn; reply: MeterView }
  'POST /api/calls/{call_id}/finish': { body: Empty; reply: MeterView }
  'POST /api/calls/{call_id}/leave': { body: Empty; reply: CallView }
  'GET /api/calls/{call_id}/meter': { body: undefined; reply: MeterView }
  'POST /api/calls/{call_id}/pause': { body: PauseIn; reply: CallView }
  'GET /api/calls/{call_id}/problem': { body: undefined; reply: MaybeProblemOut }
  'POST /api/calls/{call_id}/problem': { body: ProblemIn; reply: ProblemOut }
  'POST /api/calls/{call_id}/problem/reply': { body: ReplyIn; reply: ProblemOut }
  'GET /api/calls/{call_id}/quality': { body: undefined; reply: QualityOut }
  'POST /api/calls/{call_id}/rating': { body: RatingIn; reply: undefined }
  'GET /api/calls/{call_id}/receipt': { body: undefined; reply: ReceiptOut }
  'GET /api/calls/{call_id}/receipt.json': { body: undefined; reply: undefined }
  'GET /api/calls/{call_id}/receipt.pdf': { body: undefined; reply: undefined }
  'POST /api/calls/{call_id}/recording': { body: RecordingIn; reply: RecordingView }
  'GET /api/calls/{call_id}/recordings': { body: undefined; reply: RecordingsOut }
  'POST /api/calls/{call_id}/return': { body: Empty; reply: CallView }
  'GET /api/consultant/earnings': { body: undefined; reply: StatementOut }
  'GET /api/consultant/earnings.csv': { body: undefined; reply: undefined }
  'GET /api/consultant/fairness': { body: undefined; reply: FairnessOut }
  'GET /api/consultant/home': { body: undefined; reply: HomeOut }
  'POST /api/consultant/online': { body: OnlineIn; reply: PresenceView }
  'GET /api/consultant/payout-account': { body: undefined; reply: PayoutAccountOut }
  'POST /api/consultant/payout-account': { body: PayoutAccountIn; reply: PayoutAccountOut }
  'PUT /api/consultant/payout-schedule': { body: ScheduleIn; reply: ScheduleOut }
  'GET /api/consultant/payouts': { body: undefined; reply: OwnPayoutsOut }
  'POST /api/consultant/payouts': { body: Empty; reply: AskedAllOut }
  'GET /api/consultant/payouts.csv': { body: undefined; reply: undefined }
  'GET /api/consultant/payouts/{payout_id}': { body: undefined; reply: PayoutDetailOut }
  'GET /api/consultant/profile': { body: undefined; reply: ProfileOut }
  'PUT /api/consultant/profile': { body: ProfileIn; reply: ProfileOut }
  'GET /api/consultant/statement.csv': { body: undefined; reply: undefined }
  'GET /api/consultant/statement.pdf': { body: undefined; reply: undefined }
  'GET /api/consultants': { body: undefined; reply: ConsultantPage }
  'GET /api/consultants/{user_id}': { body: undefined; reply: ConsultantCard }
  'POST /api/demo/session': { body: DemoSessionIn; reply: SignedIn }
  'GET /api/finance/approvals': { body: undefined; reply: ApprovalsOut }
  'POST /api/finance/approvals/{approval_id}': { body: ApprovalDecisionIn; reply: undefined }
  'GET /api/finance/audit': { body: undefined; reply: AuditsOut }
  'GET /api/finance/cases': { body: undefined; reply: CasesOut }
  'POST /api/finance/cases/{case_id}/close': { body: CloseIn; reply: undefined }
  'GET /api/finance/charges': { body: undefined; reply: ChargesOut }
  'GET /api/finance/charges.csv': { body: undefined; reply: undefined }
  'GET /api/finance/charges.pdf': { body: undefined; reply: undefined }
  'GET /api/finance/charges/{charge_id}': { body: undefined; reply: DetailOut }
  'GET /api/finance/charges/{charge_id}/accounts': { body: undefined; reply: AdjustableOut }
  'GET /api/finance/charges/{charge_id}/adjustment': { body: undefined; reply: AdjustmentPlanOut }
  'POST /api/finance/charges/{charge_id}/adjustments': { body: AdjustmentIn; reply: AdjustmentOut }
  'GET /api/finance/charges/{charge_id}/quality': { body: undefined; reply: QualityOut }
  'GET /api/finance/charges/{charge_id}/refund': { body: undefined; reply: PreviewOut }
  'POST /api/finance/charges/{charge_id}/refunds': { body: RefundIn; reply: RefundOut }
  'GET /api/finance/disputes': { body: undefined; reply: DisputesOut }
  'GET /api/finance/disputes/{dispute_id}': { body: undefined; reply: DisputeOut }
  'GET /api/finance/disputes/{dispute_id}/evidence': { body: undefined; reply: EvidenceOut }
  'POST /api/finance/disputes/{dispute_id}/evidence': { body: EvidenceIn; reply: EvidenceOut }
  'GET /api/finance/invoices': { body: undefined; reply: InvoicesOut }
  'GET /api/finance/journal.csv': { body: undefined; reply: undefined }
  'GET /api/finance/months': { body: undefined; reply: MonthsOut }
  'POST /api/finance/months/{month}/close': { body: undefined; reply: BookMonthOut }
  'GET /api/finance/overview': { body: undefined; reply: OverviewOut }
  'GET /api/finance/payout-accounts': { body: undefined; reply: AccountsOut }
  'POST /api/finance/payout-accounts/{user_id}/hold': { body: HoldIn; reply: undefined }
  'POST /api/finance/payout-accounts/{user_id}/release': { body: ReleaseIn; reply: ReleasedOut }
  'GET /api/finance/payouts': { body: undefined; reply: PayoutsOut }
  'GET /api/finance/payouts.csv': { body: undefined; reply: undefined }
  'GET /api/finance/payouts/{payout_id}': { body: undefined; reply: PayoutDetailOut }
  'GET /api/finance/problems': { body: undefined; reply: ProblemsOut }
  'POST /api/finance/problems/{problem_id}': { body: ProblemDecisionIn; reply: ProblemOut }
  'GET /api/finance/reconciliation': { body: undefined; reply: RunsOut }
  'POST /api/finance/reconciliation': { body: RunIn; reply: RunOut }
  'GET /api/finance/views': { body: undefined; reply: ViewsOut }
  'PUT /api/finance/views': { body: ViewIn; reply: ViewsOut }
  'DELETE /api/finance/views/{view_id}': { body: undefined; reply: ViewsOut }
  'POST /api/keywords': { body: KeywordsIn; reply: KeywordsOut }
  'POST /api/matches/preview': { body: PreviewIn; reply: MatchesOut }
  'GET /api/me': { body: undefined; reply: Account }
  'PATCH /api/me': { body: AccountPatch; reply: Account }
  'GET /api/me/billing-details': { body: undefined; reply: BillingDetailsOut }
  'PUT /api/me/billing-details': { body: BillingDetailsIn; reply: BillingDetailsOut }
  'POST /api/me/consents': { body: AgreementIn; reply: undefined }
  'GET /api/me/owed': { body: undefined; reply: OwedListOut }
  'POST /api/me/owed/{charge_id}/pay': { body: PayIn; reply: undefined }
  'GET /api/me/spending': { body: undefined; reply: StatementOut }
  'GET /api/me/spending.csv': { body: undefined; reply: undefined }
  'POST /api/network/answer': { body: NetworkAnswer; reply: undefined }
  'POST /api/network/test': { body: Empty; reply: NetworkTest }
  'POST /api/offers/{offer_id}/accept': { body: Empty; reply: AcceptedOut }
  'GET /api/offers/{offer_id}/attachments': { body: undefined; reply: AttachmentsOut }
  'POST /api/offers/{offer_id}/decline': { body: DeclineIn; reply: undefined }
  'GET /api/openapi.json': { body: undefined; reply: Document }
  'GET /api/payment/cards': { body: undefined; reply: CardsOut }
  'DELETE /api/payment/cards/{payment_method_id}': { body: undefined; reply: CardsOut }
  'POST /api/payment/cards/{payment_method_id}/default': { body: Empty; reply: CardsOut }
  'GET /api/payment/hold': { body: undefined; reply: HoldOut }
  'POST /api/payment/setup': { body: Empty; reply: SetupOut }
  'POST /api/payment/setup/{setup_intent_id}/complete': { body: CompleteIn; reply: CardsOut }
  'GET /api/protocol.json': { body: undefined; reply: Document }
  'GET /api/questions': { body: undefined; reply: QuestionList }
  'POST /api/questions': { body: QuestionIn; reply: QuestionOut }
  'POST /api/questions/similar': { body: SimilarIn; reply: SimilarOut }
  'POST /api/questions/typing': { body: TypingIn; reply: TypingOut }
  'GET /api/questions/{question_id}': { body: undefined; reply: QuestionOut }
  'PATCH /api/questions/{question_id}': { body: QuestionPatch; reply: QuestionOut }
  'GET /api/questions/{question_id}/attachments': { body: undefined; reply: AttachmentsOut }
  'POST /api/questions/{question_id}/attachments': { body: undefined; reply: AttachmentOut }
  'GET /api/questions/{question_id}/matches': { body: undefined; reply: MatchesOut }
  'DELETE /api/questions/{question_id}/tell-me': { body: undefined; reply: undefined }
  'POST /api/questions/{question_id}/tell-me': { body: Empty; reply: undefined }
  'POST /api/questions/{question_id}/why-not': { body: WhyNotIn; reply: WhyNotOut }
  'POST /api/questions/{question_id}/withdraw': { body: Empty; reply: QuestionOut }
  'GET /api/receipt-keys': { body: undefined; reply: KeysOut }
  'GET /api/recordings/{file_id}': { body: undefined; reply: undefined }
  'POST /api/requests': { body: RequestIn; reply: RequestView }
  'GET /api/requests/{request_id}': { body: undefined; reply: RequestView }
  'POST /api/requests/{request_id}/cancel': { body: Empty; reply: RequestView }
  'POST /api/requests/{request_id}/keep-waiting': { body: Empty; reply: RequestView }
  'GET /api/tags': { body: undefined; reply: TagList }
  'GET /api/terms': { body: undefined; reply: TermsOut }
  'GET /healthz': { body: undefined; reply: Alive }
  'GET /readyz': { body: undefined; reply: Ready }
  'POST /webhooks/stripe': { body: undefined; reply: undefined }
}
