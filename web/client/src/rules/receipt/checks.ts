// Owns what is looked at in a signed receipt: every figure worked out again, each deviation named by its place. PURE.
// The same checks, codes and places as billing/proof/checks.py; both are tested on the same changed receipts.
import { canonical, type Fields, isFields, type Json, sha256 } from './canonical'
import { Bill, commissionOf, moment, taxedAs, vatIn } from './recompute'
import { type Check, type Finding, misshapen, NEWEST, sectionsOf, type SignedReceipt } from './shape'

const LONGEST_MS = 10_000_000_000

export async function check(document: Json): Promise<Check[]> {
  let form = misshapen(document)
  if (!form.length) form = senseless(document as unknown as SignedReceipt)
  const sections = { name: 'sections', findings: isFields(document) ? await changedSections(document) : [] }
  if (form.length) return [{ name: 'form', findings: form }, sections]
  const receipt = document as unknown as SignedReceipt
  return [
    { name: 'form', findings: [] },
    sections,
    { name: 'time', findings: evidence(receipt) },
    { name: 'lines', findings: lines(receipt) },
    { name: 'totals', findings: totals(receipt) },
    { name: 'vat', findings: vat(receipt) },
    { name: 'commission', findings: commission(receipt) },
    { name: 'limits', findings: limits(receipt) },
    { name: 'chain', findings: await chain(receipt) },
  ]
}

function senseless({ version, role, state, price, intervals }: SignedReceipt): Finding[] {
  const found: Finding[] = []
  const say = (place: string, said: Json) => found.push({ code: 'senseless', place, said })
  for (const name of ['rate_minor_per_hour', 'cap_minor', 'agreed_cap_minor'] as const) if (price[name] <= 0) say(`price.${name}`, price[name])
  for (const name of ['threshold_ms', 'minimum_minor', 'tax_rate_bps', 'commission_bps'] as const) if ((price[name] ?? 0) < 0) say(`price.${name}`, price[name])
  const known: [string, Json[], Json][] = [
    ['version', Array.from({ length: NEWEST }, (_, n) => n + 1), version],
    ['role', ['customer', 'consultant'], role],
    ['state', ['captured', 'released', 'uncollectable', 'abandoned'], state],
    ['price.currency', ['eur', 'usd', 'gbp', 'chf', 'jpy'], price.currency],
    ['price.policy', ['whole_call', 'after_threshold'], price.policy],
    ['price.tax_mode', ['inclusive', 'exempt', 'reverse_charge', 'outside_scope'], price.tax_mode],
  ]
  for (const [place, allowed, value] of known) if (!allowed.includes(value)) say(place, value)
  intervals.forEach((each, n) => {
    if (each.duration_ms < 0 || each.duration_ms > LONGEST_MS) say(`intervals.${n + 1}.duration_ms`, each.duration_ms)
    if (moment(each.started_at) === null) say(`intervals.${n + 1}.started_at`, each.started_at)
  })
  return found
}

async function changedSections(document: Fields): Promise<Finding[]> {
  const digests = isFields(document.digests) ? document.digests : {}
  const names = sectionsOf(document)
  const whole = await Promise.all(
    names.map(async (name) => {
      try {
        return digests[name] === (await sha256(canonical(document[name])))
      } catch {
        return false // a value without a canonical text was never signed
      }
    }),
  )
  return names.filter((_, n) => !whole[n]).map((place) => ({ code: 'section', place }))
}

const billOf = ({ price, intervals, holds }: SignedReceipt) => new Bill(price, intervals, holds.length > 0)

function lines(receipt: SignedReceipt): Finding[] {
  const { lines: said } = receipt
  const expected = billOf(receipt).lines()
  const found: Finding[] = []
  if (said.length !== expected.length) found.push({ code: 'line_count', place: 'lines', said: said.length, found: expected.length })
  said.slice(0, expected.length).forEach((line, n) => {
    for (const name of ['kind', 'from', 'to', 'duration_ms', 'cause', 'amount_minor'] as const) {
      const right = expected[n]?.[name] ?? null
      if (line[name] !== right) found.push({ code: `line_${name}`, place: String(n + 1), said: line[name], found: right })
    }
  })
  return found
}

const sum = (values: number[]) => values.reduce((one, other) => one + other, 0)

function totals(receipt: SignedReceipt): Finding[] {
  const { totals: said, holds, refunds } = receipt
  const bill = billOf(receipt)
  const expected = {
    connected_ms: bill.connectedMs,
    billed_ms: bill.billedMs,
    gross_minor: bill.dueMinor - said.uncovered_minor,
    captured_minor: sum(holds.map((each) => each.captured_minor)),
    released_minor: sum(holds.filter((each) => each.finished_at !== null).map((each) => each.amount_minor - each.captured_minor)),
    refunded_minor: sum(refunds.map((each) => each.amount_minor)),
  }
  const found = differences('total', { ...said }, expected)
  const [ofLines, whole] = [sum(receipt.lines.map((each) => each.amount_minor)), said.gross_minor + said.uncovered_minor]
  if (ofLines !== whole) found.push({ code: 'sum_of_lines', place: 'lines', said: ofLines, found: whole })
  if (said.uncovered_minor < 0) found.push({ code: 'total', place: 'uncovered_minor', said: said.uncovered_minor, found: 0 })
  return found
}

type Figures = { readonly [name: string]: number | string | null }

function differences(code: string, said: Figures, expected: Figures): Finding[] {
  const wrong = Object.keys(expected).filter((name) => said[name] !== expected[name])
  return wrong.map((place) => ({ code, place, said: said[place] ?? null, found: expected[place] ?? null }))
}

/** Whether mode and reason follow from where both sides are taxed; receipts from before that do not say. */
function taxation({ price, tax }: SignedReceipt): Finding[] {
  if (!tax || tax.reason === null) return []
  const right = taxedAs(tax) ?? { mode: price.tax_mode, reason: 'supplier_unstated' }
  const found = differences('tax', { 'price.tax_mode': price.tax_mode, 'tax.reason': tax.reason }, { 'price.tax_mode': right.mode, 'tax.reason': right.reason })
  if (price.tax_mode !== 'inclusive' && price.tax_rate_bps) found.push({ code: 'tax', place: 'price.tax_rate_bps', said: price.tax_rate_bps, found: 0 })
  return found
}

function vat(receipt: SignedReceipt): Finding[] {
  const { totals: said, invoice, price, refunds } = receipt
  const tax = vatIn(said.gross_minor, price)
  const found = differences('total', { vat_minor: said.vat_minor, net_of_vat_minor: said.net_of_vat_minor }, { vat_minor: tax, net_of_vat_minor: said.gross_minor - tax })
  found.push(...taxation(receipt))
  if (!invoice) return found
  const taken = said.captured_minor
  const { gross_minor, vat_minor, net_minor, vat_rate_bps, vat_treatment } = invoice
  const expected = {
    gross_minor: taken,
    vat_minor: vatIn(taken, price),
    net_minor: taken - vatIn(taken, price),
    vat_rate_bps: price.tax_mode === 'inclusive' ? price.tax_rate_bps : 0,
    vat_treatment: price.tax_mode === 'inclusive' ? 'standard' : price.tax_mode,
  }
  found.push(...differences('invoice', { gross_minor, vat_minor, net_minor, vat_rate_bps, vat_treatment }, expected))
  const [credited, refunded] = [sum(refunds.map((each) => each.vat_minor)), vatIn(said.refunded_minor, price)]
  if (credited !== refunded) found.push({ code: 'total', place: 'refunded_vat_minor', said: credited, found: refunded })
  return found
}

function commission({ role, price, totals: said }: SignedReceipt): Finding[] {
  const parts = [price.commission_bps, said.commission_minor, said.share_minor]
  if (role !== 'consultant') return parts.every((part) => part === null) ? [] : [{ code: 'senseless', place: 'totals.commission_minor', said: said.commission_minor }]
  if (price.commission_bps === null || parts.includes(null)) return [{ code: 'missing', place: 'totals.commission_minor' }]
  const right = commissionOf(said.gross_minor, price.commission_bps)
  const { commission_minor, share_minor } = said
  return differences('total', { commission_minor, share_minor }, { commission_minor: right, share_minor: said.gross_minor - right })
}

function limits({ totals: said, price, holds, state, credits = [] }: SignedReceipt): Finding[] {
  const found: Finding[] = []
  const above = (place: string, value: number, limit: number) => {
    if (value > limit) found.push({ code: 'above', place, said: value, found: limit })
  }
  const held = sum(holds.map((each) => each.amount_minor))
  above('captured_minor', said.captured_minor, price.cap_minor)
  above('captured_minor', said.captured_minor, held)
  // Of a trusted customer nothing is held in the first minutes; without a hold there is nothing it must cover.
  if (state !== 'abandoned' && holds.length > 0) above('cap_minor', price.cap_minor, held)
  above('refunded_minor', said.refunded_minor, said.captured_minor)
  if (said.refunded_minor <= said.captured_minor) above('credited_minor', sum(credits.map((each) => each.amount_minor)), said.captured_minor - said.refunded_minor)
  for (const hold of holds) {
    if (hold.captured_minor < 0 || hold.captured_minor > hold.amount_minor) {
      found.push({ code: 'above', place: `holds.${hold.n}`, said: hold.captured_minor, found: hold.amount_minor })
    }
  }
  const due = state === 'captured' ? said.gross_minor : state === 'uncollectable' ? said.captured_minor : 0
  if (said.captured_minor !== due) found.push({ code: 'total', place: 'captured_minor', said: said.captured_minor, found: due })
  return found
}

async function chain({ chain: { charge_id, entries }, chain_hash }: SignedReceipt): Promise<Finding[]> {
  const found: Finding[] = []
  let previous = await sha256(charge_id)
  for (const [n, entry] of entries.entries()) {
    if (entry.n !== n + 1) found.push({ code: 'entry_number', place: String(n + 1), said: entry.n, found: n + 1 })
    // oxlint-disable-next-line no-await-in-loop -- a chain is followed link by link
    if (entry.body !== null && entry.hash !== (await sha256(previous + entry.body))) found.push({ code: 'entry', place: String(n + 1) })
    previous = entry.hash
  }
  if (chain_hash !== (entries.length ? previous : null)) found.push({ code: 'chain_end', place: 'chain_hash' })
  return found
}

/** What the receipt says against what was noted while the call ran. */
function evidence(receipt: SignedReceipt): Finding[] {
  const found: Finding[] = []
  const noted = receipt.chain.entries.map(bodyOf)
  const of = (kind: string) => noted.flatMap((each) => (each?.kind === kind ? [each.details] : []))
  const numbered = (kind: string) => new Map(of(kind).flatMap((each) => (Number.isSafeInteger(each.n) ? [[each.n as number, each]] : [])))
  const seen = numbered('interval_closed')
  const told = new Map(receipt.intervals.map((each) => [each.n, each]))
  for (const n of [...new Set([...seen.keys(), ...told.keys()])].toSorted((one, other) => one - other)) {
    for (const name of ['duration_ms', 'cause'] as const) {
      const [said, right] = [told.get(n)?.[name] ?? null, seen.get(n)?.[name] ?? null]
      if (said !== right || !seen.has(n) || !told.has(n)) found.push({ code: `interval_${name}`, place: String(n), said, found: right })
    }
  }
  const compare = (place: string, said: Json, right: Json | undefined) => {
    if (canonical(said) !== canonical(right)) found.push({ code: 'evidence', place, said, found: right ?? null })
  }
  const last = of('extended').at(-1)
  compare('cap_minor', receipt.price.cap_minor, last ? last.cap_minor : receipt.price.agreed_cap_minor)
  for (const [kind, name] of [['settled', 'connected_ms'], ['settled', 'gross_minor'], ['captured', 'captured_minor']] as const) {
    for (const each of of(kind)) compare(name, receipt.totals[name], each[name])
  }
  for (const each of of('price_agreed')) {
    for (const name of ['tax_mode', 'tax_rate_bps'] as const) if (Object.hasOwn(each, name)) compare(`price.${name}`, receipt.price[name], each[name])
  }
  const holds = new Map(receipt.holds.map((each) => [each.n, each]))
  const held = new Map([...numbered('hold_placed'), ...numbered('hold_raised')]) // the last of them is what was held
  for (const [noticed, name] of [[held, 'amount_minor'], [numbered('hold_captured'), 'captured_minor']] as const) {
    for (const [n, each] of noticed) compare(`holds.${n}.${name}`, holds.get(n)?.[name] ?? null, each.amount_minor)
  }
  compare('invoice.number', receipt.invoice?.number ?? null, of('invoice_issued')[0]?.number ?? null)
  compare('refunds', receipt.refunds.map((each) => each.credit_note), of('credit_note_issued').map((each) => each.number ?? null))
  const credits = receipt.credits ?? []
  compare('credits', credits.map((each) => [each.number, each.amount_minor]), of('credit_issued').map((each) => [each.number ?? null, each.gross_minor ?? null]))
  return found
}

function bodyOf({ body }: { body: string | null }): { kind: Json | undefined; details: Fields } | null {
  try {
    const read: Json = JSON.parse(body ?? 'null')
    return isFields(read) && isFields(read.details) ? { kind: read.kind, details: read.details } : null
  } catch {
    return null // what is no JSON says nothing; the chain's own check names it
  }
}
