// Owns what happened, in order: a drawn line for the eye and a list for everybody.
import type { TimelineItem } from '../api/types'
import { useWords } from './words'

const MOMENT = /^\d{4}-\d\d-\d\dT/
// Told without a name: the entry says what it is.
const BARE = new Set(['amount_minor', 'gross_minor', 'captured_minor', 'refund_minor', 'side', 'reason', 'cause', 'case', 'category', 'number', 'message'])
// Said by the entry itself, or by the figure beside it.
const UNSAID = new Set(['tax_mode', 'planned', 'finding'])

type Details = Record<string, unknown>

/** The details of an entry, as people read them: amounts with their currency, durations as clocks, moments in the reader's zone. */
function useDetailText(currency: string) {
  const { t, money, perMinute, clock, time, date, percent, coded } = useWords()
  const said = (name: string, given: unknown, at: string): string => {
    if (typeof given === 'boolean') return t(given ? 'common.yes' : 'common.no')
    if (Array.isArray(given)) return given.map((each) => plain(String(each))).join(', ')
    if (typeof given === 'object') return JSON.stringify(given)
    if (typeof given === 'number') {
      if (name === 'rate_minor_per_hour') return perMinute(given, currency)
      if (name.endsWith('_minor')) return money(given, currency)
      if (name.endsWith('_bps')) return percent(given)
      return name.endsWith('_ms') ? clock(given) : String(given)
    }
    const text = String(given)
    if (MOMENT.test(text)) return new Date(text).toDateString() === new Date(at).toDateString() ? time(text) : date(text)
    if (name === 'side') return coded('side', text) ?? text
    if (name === 'cause') return coded('cause', text) ?? coded('unbilled', text) ?? plain(text)
    if (name === 'reason') return coded('close', text) ?? coded('finance.reason', text) ?? plain(text)
    if (name === 'case') return coded('finance.case', text) ?? plain(text)
    return name === 'category' ? (coded('problem.category', text) ?? plain(text)) : text
  }
  return ({ at, detail }: TimelineItem): string => {
    if (detail === null || detail === undefined || detail === '') return ''
    if (typeof detail !== 'object') return String(detail)
    return Object.entries(detail as Details)
      .filter(([name, given]) => isTold(name, given))
      .map(([name, given]) => [name, said(name, given, at)] as const)
      .filter(([, value]) => value !== time(at)) // the entry's own time, once more
      .map(([name, value]) => (BARE.has(name) ? value : (coded('detail', name, { value }) ?? `${plain(name)}: ${value}`)))
      .join(', ')
  }
}

/** Whether there is anything to say: the only hold is not called the first, and no VAT is not a rate. */
function isTold(name: string, given: unknown): boolean {
  if (UNSAID.has(name) || given === null || given === '' || (Array.isArray(given) && !given.length)) return false
  return !(['n', 'part'].includes(name) && given === 1) && !(['tax_rate_bps', 'captured_minor', 'gross_minor'].includes(name) && given === 0)
}

const plain = (code: string) => code.replaceAll('_', ' ')

export function TimelineList({ items, currency }: { items: TimelineItem[]; currency: string }) {
  const { time, coded } = useWords()
  const detailText = useDetailText(currency)
  return (
    <ol className="stages" data-testid="timeline">
      {items.map((each, n) => (
        <li key={`${each.at}${each.kind}${n}`}>
          <time dateTime={each.at} style={{ minWidth: '5.2rem', whiteSpace: 'nowrap' }}>
            {time(each.at)}
          </time>
          <span>
            {coded('timeline', each.kind) ?? plain(each.kind)}
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
          <title>{coded('timeline', each.kind) ?? plain(each.kind)}</title>
        </circle>
      ))}
    </svg>
  )
}
