// Generated from the table of socket messages by `npm run types`; not edited by hand.

export type Ack = {
  ok: true
}

export type AuthAck = {
  expires_at: string
  ok: true
}

export type AuthRefresh = {
  token: string
  v: 1
}

export type Authenticate = {
  url: string
}

export type CallQuestion = {
  details: string
  id: string
  title: string
}

export type CallSummary = {
  close_reason: string | null
  continues_call_id: string | null
  created_at: string
  ended_at: string | null
  id: string
  live_at: string | null
  other: Person
  question_title: string
  reference: string
  role: "customer" | "consultant"
  state: "preparing" | "live" | "interrupted" | "ended"
}

export type CallView = {
  close_reason: string | null
  continues_call_id: string | null
  created_at: string
  deadline_at: string | null
  demo: boolean
  ended_at: string | null
  id: string
  live_at: string | null
  media_epoch: number
  media_ready: boolean
  other: Person
  participants: Participants
  pause: PauseView | null
  question: CallQuestion
  recording: RecordingView
  reference: string
  role: "customer" | "consultant"
  state: "preparing" | "live" | "interrupted" | "ended"
}

export type ChatAck = {
  message: ChatMessage
  ok: true
}

export type ChatMessage = {
  author_id: string
  author_role: "customer" | "consultant"
  call_id: string
  client_id: string
  sent_at: string
  seq: number
  text: string
  v: 1
}

export type ChatSend = {
  call_id: string
  client_id: string
  text: string
  v: 1
}

export type Currency = "eur" | "usd" | "gbp" | "chf"

export type DirectoryChange = {
  status: "offline" | "available" | "away" | "in_meeting" | "limited"
  user_id: string
  v: 1
}

export type Heartbeat = {
  v: 1
}

export type IceServer = {
  credential?: string | null
  urls: (string)[]
  username?: string | null
}

export type JoinAck = {
  epoch: number
  ice_servers: (IceServer)[]
  ok: true
  peer_id: string
  relay_only: boolean
  sdp: string
}

export type LateHold = {
  due_ms: number
  state: "later" | "asked" | "stands" | "missed"
}

export type Me = {
  display_name: string
  roles: (string)[]
  user_id: string
}

export type MediaAnswer = {
  call_id: string
  peer_id: string
  sdp: string
  v: 1
}

export type MediaJoin = {
  call_id: string
  v: 1
}

export type MediaReplaced = {
  call_id: string
  peer_id: string
  v: 1
}

export type MediaState = {
  call_id: string
  camera: boolean
  microphone: boolean
  screen: boolean
  v: 1
  video_held?: boolean
}

export type MediaStats = {
  call_id: string
  freezes: number
  jitter_ms: number
  kbps: number
  loss_permille: number
  rtt_ms: number | null
  v: 1
  video_held: boolean
}

export type MeterView = {
  as_of: string
  authenticate: Authenticate | null
  call_id: string
  cap_minor: number
  cap_ms: number
  charge_state: string
  commission_bps: number
  connected_ms: number
  currency: Currency
  extend_minor: number | null
  final: boolean
  gross_minor: number
  held_minor: number
  late_hold: LateHold | null
  net_minor: number
  policy: "whole_call" | "after_threshold"
  rate_minor_per_hour: number
  returns_until: string | null
  running: boolean
  threshold_ms: number
  unbilled_cause: string | null
  unbilled_since: string | null
}

export type OfferCustomer = {
  display_name: string
  rating: number | null
  rating_count: number
}

export type OfferQuestion = {
  details: string
  id: string
  language: string
  tags: (string)[]
  title: string
}

export type OfferView = {
  cap_minor: number
  created_at: string
  currency: Currency
  customer: OfferCustomer
  id: string
  net_minor_per_hour: number
  question: OfferQuestion
  rate_minor_per_hour: number
  reasons: (Reason)[]
  request_id: string
  rings_until: string
  state: "ringing"
}

export type Participant = {
  camera: boolean
  last_seen_at: string | null
  microphone: boolean
  screen: boolean
  seen: boolean
  video_held: boolean
}

export type Participants = {
  consultant: Participant
  customer: Participant
}

export type PauseView = {
  by: "customer" | "consultant"
  since: string
  state: "proposed" | "agreed"
}

export type Person = {
  display_name: string
  user_id: string
}

export type PresenceView = {
  away_reason: string | null
  can_go_online: boolean
  missing: (string)[]
  status: "offline" | "available" | "away" | "in_meeting" | "limited"
  switched_on: boolean
}

export type PromiseCredit = {
  amount_minor: number
  currency: string
}

export type Reason = {
  code: string
  params: Record<string, unknown>
}

export type RecordingView = {
  by: "customer" | "consultant" | null
  possible: boolean
  state: "off" | "asked" | "on"
}

export type Refusal = {
  code: string
  message: string
  ok: false
}

export type RequestView = {
  call_id: string | null
  created_at: string
  credit: PromiseCredit | null
  id: string
  language: string | null
  min_stars: number | null
  position: number | null
  promise_at: string
  question_id: string
  question_title: string
  ringing: (Ringing)[]
  stages: (Stage)[]
  state: "ringing" | "matched" | "cancelled" | "exhausted"
  usual_wait_s: number | null
  waiting_over: boolean
}

export type Ringing = {
  consultant_id: string
  consultant_name: string
  offer_id: string
  rings_until: string
}

export type SignedOut = {
  reason: "expired" | "revoked"
  v: 1
}

export type Snapshot = {
  call: CallView | null
  me: Me
  meter: MeterView | null
  offers: (OfferView)[]
  presence: PresenceView | null
  request: RequestView | null
  server_now: string
  v: 1
  version: number
  wishes: (WishView)[]
}

export type Stage = {
  at: string
  consultant_id: string | null
  consultant_name: string | null
  stage: "requested" | "ringing" | "missed" | "declined" | "accepted" | "hold" | "connected"
}

export type Sync = {
  v: 1
  version: number
}

export type SyncAck = {
  ok: true
  version: number
}

export type WishView = {
  consultant_id: string | null
  consultant_name: string | null
  expires_at: string
  question_id: string
  question_title: string
  told_at: string | null
}
