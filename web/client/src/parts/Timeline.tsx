// Owns what happened, in order: a drawn line for the eye and a list for everybody.
import type { TimelineItem } from '../api/types'
import { MOMENT, plainCode, plainName } from '../rules/codes'
import { useWords } from './words'

// Told without a name: the entry says what it is.
const BARE = new Set(['side', 'amount_minor', 'gross_minor', 'refund_minor', 'reason', 'cause', 'case', 'category', 'finding', 'number', 'message'])
// As they are best read; the database keeps no order. What is not named here comes last.
const ORDER = ['side', 'rate_minor_per_hour', 'cap_minor', 'tax_rate_bps', 'number', 'amount_minor', 'gross_minor', 'n', 'part', 'duration_ms', 'connected_ms', 'cause', 'reason']
// Codes that must have words of ours to be told to anybody but finance.
const CODES = new Set(['reason', 'cause', 'case', 'category', 'finding'])

type Details = Record<string, unknown>

const place = (name: string) => (ORDER.includes(name) ? ORDER.indexOf(name) : ORDER.length)

/** Whether there is anything to say: the only hold is not called the first, and no VAT is not a rate. */
function isTold(name: string, given: unknown): boolean {
  if (name === 'tax_mode' || given === null || given === '' || (Array.isArray(given) && !given.length)) return false
  if (name === 'n' || name === 'part') return given !== 1
  return !(given === 0 && ['tax_rate_bps', 'captured_minor', 'gross_minor', 'attempt'].includes(name))
}

/** The details of an entry, as people read them: amounts with their currency, durations as clocks, moments in the reader's zone. */
function useDetailText(currency: string, forFinance: boolean) {
  const { t, money, perMinute, clock, time, day, date, percent, coded } = useWords()
  const words = (name: string, code: string): string | null => {
    if (name === 'reason') return coded('close', code) ?? coded('finance.reason', code)
    if (name === 'cause') return coded('cause', code) ?? coded('unbilled', code)
    return name === 'case' ? coded('finance.case', code) : name === 'category' ? coded('finance.category', code) : (coded('finance.finding', code)?.replace(/\.$/, '') ?? null) // one of several things told in a line
  }
  const said = (name: string, given: unknown, at: string): string => {
    if (typeof given === 'boolean') return t(given ? 'common.yes' : 'common.no')
    if (Array.isArray(given)) return given.map((each) => coded('finance.doubt', String(each)) ?? plainCode(String(each))).join(', ')
    if (given && typeof given === 'object') {
      const parts = Object.entries(given).filter(([, value]) => value !== null)
      return parts.map(([part, value]) => `${plainName(part)} ${said(part, value, at)}`).join(', ')
    }
    if (typeof given === 'number') {
      if (name === 'rate_minor_per_hour') return perMinute(given, currency)
      if (name.endsWith('_minor')) return money(given, currency)
      if (name.endsWith('_bps')) return percent(given)
      return name.endsWith('_ms') ? clock(given) : String(given)
    }
    const text = String(given)
    if (MOMENT.test(text)) return day(text) === day(at) ? time(text) : date(text)
    if (name === 'side') return coded('side', text) ?? text
    return CODES.has(name) ? (words(name, text) ?? (forFinance ? plainCode(text) : '')) : text
  }
  return ({ at, kind, detail }: TimelineItem): string => {
    if (detail === null || detail === undefined || detail === '') return ''
    if (typeof detail !== 'object') return String(detail)
    const bare = (name: string) => BARE.has(name) || kind === 'interval_after_settlement'
    return Object.entries(detail as Details)
      .filter(([name, given]) => isTold(name, given) && (forFinance || name !== 'message')) // the bank's own words, in its language
      .toSorted(([one], [other]) => place(one) - place(other))
      .map(([name, given]) => [name, said(name, given, at)] as const)
      .filter(([, value]) => value && value !== time(at)) // the entry's own time, once more
      .map(([name, value]) => {
        const named = coded('detail', name, { value }) ?? `${coded('finance.detail', name) ?? plainName(name)}: ${value}`
        return bare(name) ? value : named
      })
      .join(', ')
  }
}

/** Everything that happened; an entry of another day than the first one says which. */
export function TimelineList({ items, currency, forFinance = false }: { items: TimelineItem[]; currency: string; forFinance?: boolean }) {
  const { time, day, date, coded } = useWords()
  const detailText = useDetailText(currency, forFinance)
  const first = items[0]?.at
  return (
    <ol className="stages" data-testid="timeline">
      {items.map((each, n) => (
        <li key={`${each.at}${each.kind}${n}`}>
          <time dateTime={each.at} style={{ minWidth: '5.2rem', whiteSpace: 'nowrap' }}>
            {first === undefined || day(each.at) === day(first) ? time(each.at) : date(each.at)}
          </time>
          <span>
            {coded('timeline', each.kind) ?? plainCode(each.kind)}
            {detailText(each) && <span className="soft small"> · {detailText(each)}</span>}
          </span>
        </li>
      ))}
    </ol>
  )
}

export function TimelinePicture({ items, spans }: { items: TimelineItem[]; spans: { from: number; to: number }[] }) {
  const { t, coded } = useWords()
  const times = [...items.map((each) => Date.parse(each.at)), ...spans.flatMap((span) => [span.from, span.to])].filter(Number.isFinite)
  if (times.length < 2) return null
  const [first, last] = [Math.min(...times), Math.max(...times)]
  const x = (at: number) => 16 + ((at - first) / Math.max(1, last - first)) * 968
  return (
    <svg viewBox="0 0 1000 84" role="img" aria-label={t('finance.timeline_picture')} style={{ width: '100%', height: 'auto' }}>
      <line x1="16" x2="984" y1="42" y2="42" stroke="var(--line)" strokeWidth="4" />
      {spans.map((span) => (
        <rect key={span.from} x={x(span.from)} y="30" width={Math.max(3, x(span.to) - x(span.from))} height="24" rx="6" fill="var(--accent)" opacity="0.75" />
      ))}
      {items.map((each, n) => (
        <circle key={`${each.at}${n}`} cx={x(Date.parse(each.at))} cy={n % 2 ? 70 : 14} r="7" fill="var(--warn)">
          <title>{coded('timeline', each.kind) ?? plainCode(each.kind)}</title>
        </circle>
      ))}
    </svg>
  )
}
