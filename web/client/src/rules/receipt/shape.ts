// Owns the form of a signed receipt: which fields there are, and of which kind. PURE. The same as billing/proof/shape.py.
// Version 2 added the section `tax`, version 3 the section `credits`; earlier receipts are read as what they are.
import { type Fields, isFields, type Json } from './canonical'

export interface Finding {
  code: string
  place: string
  said?: Json
  found?: Json
}
export interface Check {
  name: string
  findings: Finding[]
}

type Shape = 'text' | 'text?' | 'whole' | 'whole?' | Shape[] | { maybe: Shape } | { fields: Record<string, Shape> }
const object = (fields: Record<string, Shape>): Shape => ({ fields })
const all = (kind: Shape, ...names: string[]) => Object.fromEntries(names.map((name) => [name, kind]))

const sections: Record<string, Shape> = {
  version: 'whole',
  issuer: object(all('text', 'name', 'url')),
  reference: 'text',
  call: object({ ...all('text', 'id', 'subject', 'started_at'), ...all('text?', 'ended_at', 'close_reason') }),
  role: 'text',
  parties: object(all('text', 'customer', 'consultant')),
  state: 'text',
  price: object({
    ...all('text', 'currency', 'policy', 'policy_version', 'tax_mode'),
    ...all('whole', 'rate_minor_per_hour', 'threshold_ms', 'agreed_cap_minor', 'cap_minor', 'minimum_minor', 'tax_rate_bps'),
    commission_bps: 'whole?',
  }),
  tax: object({ reason: 'text?', supplier: object(all('text?', 'country', 'vat_id', 'name', 'address')), customer: object(all('text?', 'country', 'vat_id', 'name', 'address')) }),
  consent: object(all('text', 'terms_version', 'at')),
  intervals: [object({ ...all('whole', 'n', 'duration_ms'), started_at: 'text', cause: 'text?' })],
  lines: [object({ ...all('text', 'kind', 'from', 'to'), ...all('whole', 'duration_ms', 'amount_minor'), cause: 'text?' })],
  totals: object({
    ...all('whole', 'connected_ms', 'billed_ms', 'gross_minor', 'uncovered_minor', 'net_of_vat_minor'),
    ...all('whole', 'vat_minor', 'captured_minor', 'released_minor', 'refunded_minor'),
    ...all('whole?', 'commission_minor', 'share_minor'),
  }),
  holds: [object({ ...all('whole', 'n', 'amount_minor', 'captured_minor'), ...all('text', 'state', 'held_at'), finished_at: 'text?' })],
  refunds: [object({ ...all('text', 'credit_note', 'at'), ...all('whole', 'amount_minor', 'vat_minor') })],
  credits: [object({ ...all('text', 'number', 'at'), amount_minor: 'whole' })],
  invoice: {
    maybe: object({
      ...all('text', 'number', 'issued_at', 'vat_treatment'),
      ...all('whole', 'gross_minor', 'net_minor', 'vat_minor', 'vat_rate_bps'),
    }),
  },
  fees: object(all('text', 'payment_processing_borne_by')),
  chain: object({ charge_id: 'text', entries: [object({ n: 'whole', body: 'text?', hash: 'text' })] }),
  chain_hash: 'text?',
  issued_at: 'text',
}
export const NEWEST = 3
const since: Record<string, number> = { tax: 2, credits: 3 }

/** The sections of a receipt of this document's version; those of the newest where it names none of ours. */
export function sectionsOf(document: Json): string[] {
  const version = isFields(document) ? document.version : null
  const known = Number.isSafeInteger(version) && Number(version) >= 1 && Number(version) <= NEWEST ? Number(version) : NEWEST
  return Object.keys(sections).filter((name) => (since[name] ?? 1) <= known)
}

function signed(document: Json): Shape {
  const names = sectionsOf(document)
  return object({
    ...Object.fromEntries(names.flatMap((name) => (sections[name] ? [[name, sections[name]]] : []))),
    digests: object(all('text', ...names)),
    signature: object(all('text', 'alg', 'key_id', 'public_key', 'value')),
  })
}

export interface Interval {
  n: number
  started_at: string
  duration_ms: number
  cause: string | null
}
export interface Line {
  kind: string
  from: string
  to: string
  duration_ms: number
  cause: string | null
  amount_minor: number
}
export interface Price {
  currency: string
  rate_minor_per_hour: number
  policy: string
  threshold_ms: number
  agreed_cap_minor: number
  cap_minor: number
  minimum_minor: number
  tax_mode: string
  tax_rate_bps: number
  commission_bps: number | null
}
export interface Totals {
  connected_ms: number
  billed_ms: number
  gross_minor: number
  uncovered_minor: number
  net_of_vat_minor: number
  vat_minor: number
  captured_minor: number
  released_minor: number
  refunded_minor: number
  commission_minor: number | null
  share_minor: number | null
}
export interface TaxParty {
  country: string | null
  vat_id: string | null
  name: string | null
  address: string | null
}
export interface Tax {
  reason: string | null
  supplier: TaxParty
  customer: TaxParty
}
export interface SignedReceipt {
  version: number
  issuer: { name: string; url: string }
  reference: string
  role: string
  parties: { customer: string; consultant: string }
  state: string
  price: Price
  tax?: Tax
  intervals: Interval[]
  lines: Line[]
  totals: Totals
  holds: { n: number; amount_minor: number; state: string; captured_minor: number; held_at: string; finished_at: string | null }[]
  refunds: { credit_note: string; at: string; amount_minor: number; vat_minor: number }[]
  credits?: { number: string; at: string; amount_minor: number }[]
  invoice: { number: string; gross_minor: number; net_minor: number; vat_minor: number; vat_rate_bps: number; vat_treatment: string } | null
  chain: { charge_id: string; entries: { n: number; body: string | null; hash: string }[] }
  chain_hash: string | null
  signature: { alg: string; key_id: string; public_key: string; value: string }
}

/** Every place where a document does not have the form of a signed receipt. */
export const misshapen = (document: Json): Finding[] => compare(document, signed(document), '')

function compare(value: Json, shape: Shape, place: string): Finding[] {
  const wrong = [{ code: 'shape', place: place || 'document' }]
  if (typeof shape === 'string') return isKind(value, shape) ? [] : wrong
  if (Array.isArray(shape)) {
    const [inner] = shape
    if (!Array.isArray(value) || !inner) return wrong
    return value.flatMap((item, n) => compare(item, inner, `${place}.${n + 1}`))
  }
  if ('maybe' in shape) return value === null ? [] : compare(value, shape.maybe, place)
  return isFields(value) ? compareFields(value, shape.fields, place) : wrong
}

function compareFields(value: Fields, fields: Record<string, Shape>, place: string): Finding[] {
  const names = [...new Set([...Object.keys(fields), ...Object.keys(value)])].toSorted()
  return names.flatMap((name) => {
    const inner = place ? `${place}.${name}` : name
    const [shape, item] = [fields[name], value[name]]
    if (!shape || !Object.hasOwn(fields, name)) return [{ code: 'unknown', place: inner }]
    return item === undefined ? [{ code: 'missing', place: inner }] : compare(item, shape, inner)
  })
}

function isKind(value: Json, kind: string): boolean {
  if (value === null) return kind.endsWith('?')
  return kind.startsWith('text') ? typeof value === 'string' : Number.isSafeInteger(value)
}
