// Owns the shapes that cross the wire, HTTP and socket alike, as docs/protocol.md and the OpenAPI document state them.

export type Role = 'customer' | 'consultant' | 'finance' | 'admin'
export type Side = 'customer' | 'consultant'
export type Locale = 'en' | 'de'
export type Policy = 'whole_call' | 'after_threshold'
type Iso = string

export interface Account {
  id: string
  email: string
  display_name: string
  roles: Role[]
  locale: Locale
  time_zone: string
}
export interface Login {
  access_token: string
  expires_in_s: number
  account: Account
}
export interface Terms {
  documents: { document: string; version: string; url: string }[]
  threshold_ms: number
  policy: Policy
  commission_bps: number
  default_cap_minutes: number
}

export interface ConsultantCard {
  user_id: string
  display_name: string
  headline: string
  biography: string
  tags: string[]
  languages: string[]
  time_zone: string
  rate_minor_per_hour: number
  currency: string
  rating: number | null
  rating_count: number
  response_s: number | null
  status: PresenceStatus
}
export interface Reason {
  code: string
  params: Record<string, string | number | string[]>
}
export interface Factor {
  factor: string
  value: number
  weight: number
  contribution_centi: number
}
export interface Match {
  consultant: ConsultantCard
  score: number
  score_centi: number
  factors: Factor[]
  reasons: Reason[]
  price: { per_minute_minor: string; estimates: { minutes: number; minor: number }[] }
}
export interface Matches {
  matches: Match[]
  alternatives: Match[]
}
export interface Question {
  id: string
  title: string
  details: string
  tags: string[]
  language: string
  state: 'open' | 'withdrawn' | 'answered'
  created_at: Iso
}
export interface Card {
  brand: string
  last4: string
  exp_month: number
  exp_year: number
}
export interface CardSetup {
  setup_intent_id: string
  client_secret: string
  form_url: string
}
export interface Profile {
  headline: string
  biography: string
  tags: string[]
  rate_minor_per_hour: number | null
  currency: string
  languages: string[]
  time_zone: string
}
export interface PayoutAccount {
  onboarding_url: string | null
  can_receive: boolean
}
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
export interface Earnings {
  items: {
    call_id: string
    reference: string
    ended_at: Iso | null
    connected_ms: number
    gross_minor: number
    commission_minor: number
    net_minor: number
    currency: string
    state: string
  }[]
  totals: Totals[]
  next_cursor: string | null
}
export interface CallSummary {
  call_id?: string
  id?: string
  reference: string
  state: string
  role: Side
  question_title: string
  other_name: string
  created_at: Iso
  ended_at: Iso | null
  connected_ms?: number
  gross_minor?: number
  net_minor?: number
  currency?: string
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
}

export interface ChargeRow {
  call_id: string
  charge_id: string
  reference: string
  at: Iso
  customer_name: string
  consultant_name: string
  connected_ms: number
  billed_ms: number
  gross_minor: number
  commission_minor: number
  net_minor: number
  currency: string
  state: string
}
export interface ChargePage {
  items: ChargeRow[]
  totals: Totals[]
  next_cursor: string | null
}
export type Facts = Record<string, unknown>
export interface ChargeDetail {
  row: ChargeRow
  snapshot: Facts
  intervals: Facts[]
  timeline: TimelineItem[]
  holds: Facts[]
  commands: Facts[]
  transactions: {
    id: string
    at: Iso
    kind: string
    postings: { source: string; destination: string; amount_minor: number; currency: string }[]
  }[]
  recomputed: { gross_minor: number; matches: boolean }
}

export type PresenceStatus = 'offline' | 'available' | 'away' | 'in_meeting' | 'limited'
export interface PresenceView {
  status: PresenceStatus
  switched_on: boolean
  can_go_online: boolean
  missing: string[]
  away_reason: string | null
}
export type Stage = 'requested' | 'ringing' | 'missed' | 'declined' | 'accepted' | 'connected'
export interface RequestView {
  id: string
  question_id: string
  question_title: string
  state: 'ringing' | 'matched' | 'cancelled' | 'exhausted'
  created_at: Iso
  promise_at: Iso
  stages: { stage: Stage; at: Iso; consultant_id: string | null; consultant_name: string | null }[]
  ringing: { offer_id: string; consultant_id: string; consultant_name: string; rings_until: Iso }[]
  call_id: string | null
  waiting_over: boolean
}
export interface OfferView {
  id: string
  request_id: string
  state: 'ringing'
  question: { id: string; title: string; details: string; language: string; tags: string[] }
  customer: { display_name: string; rating: number | null; rating_count: number }
  reasons: Reason[]
  rate_minor_per_hour: number
  currency: string
  net_minor_per_hour: number
  cap_minor: number
  rings_until: Iso
  created_at: Iso
}
export interface Participant {
  seen: boolean
  last_seen_at: Iso | null
  microphone: boolean
  camera: boolean
  screen: boolean
}
export interface CallView {
  id: string
  reference: string
  state: 'preparing' | 'live' | 'interrupted' | 'ended'
  close_reason: string | null
  role: Side
  other: { user_id: string; display_name: string }
  question: { id: string; title: string; details: string }
  created_at: Iso
  live_at: Iso | null
  ended_at: Iso | null
  deadline_at: Iso | null
  media_ready: boolean
  participants: { customer: Participant; consultant: Participant }
  pause: { state: 'proposed' | 'agreed'; by: Side; since: Iso } | null
  demo: boolean
}
export interface MeterView {
  call_id: string
  charge_state: string
  currency: string
  rate_minor_per_hour: number
  commission_bps: number
  policy: Policy
  threshold_ms: number
  cap_minor: number
  held_minor: number
  connected_ms: number
  as_of: Iso
  running: boolean
  unbilled_cause: string | null
  unbilled_since: Iso | null
  gross_minor: number
  net_minor: number
  cap_ms: number
  extend_minor: number | null
  authenticate: { url: string } | null
  final: boolean
}
export interface Snapshot {
  v: 1
  version: number
  server_now: Iso
  me: { user_id: string; roles: Role[]; display_name: string }
  request: RequestView | null
  offers: OfferView[]
  call: CallView | null
  meter: MeterView | null
  presence: PresenceView | null
}
export interface ChatMessage {
  v: 1
  call_id: string
  seq: number
  client_id: string
  author_id: string
  author_role: Side
  text: string
  sent_at: Iso
}
export interface JoinReply {
  peer_id: string
  sdp: string
  ice_servers: RTCIceServer[]
}
