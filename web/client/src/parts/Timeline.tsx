// Owns what happened, in order: a drawn line for the eye and a list for everybody.
import type { TimelineItem } from '../api/types'
import { decimalText } from '../rules/money'
import { useWords } from './words'

const MOMENT = /^\d{4}-\d\d-\d\dT/

/** The figures of an entry, as people read them: durations as clocks, moments in the reader's zone, amounts exact. */
function useDetailText() {
  const { clock, time, coded } = useWords()
  const value = (name: string, given: unknown) => {
    if (name.endsWith('_ms') && typeof given === 'number') return clock(given)
    if (name.endsWith('_minor') && typeof given === 'number') return decimalText(given, 2)
    if (name === 'side') return coded('side', String(given)) ?? String(given)
    if (typeof given === 'string' && MOMENT.test(given)) return time(given)
    return typeof given === 'object' ? JSON.stringify(given) : String(given)
  }
  return (detail: unknown): string => {
    if (detail === null || detail === undefined || detail === '') return ''
    if (typeof detail !== 'object') return String(detail)
    const told = Object.entries(detail).filter(([, given]) => given !== null)
    return told.map(([name, given]) => `${name.replace(/_(minor|ms)$/, '').replaceAll('_', ' ')}: ${value(name, given)}`).join(', ')
  }
}

export function TimelineList({ items }: { items: TimelineItem[] }) {
  const { time, coded } = useWords()
  const detailText = useDetailText()
  return (
    <ol className="stages" data-testid="timeline">
      {items.map((each, n) => (
        <li key={`${each.at}${each.kind}${n}`}>
          <time dateTime={each.at} style={{ minWidth: '5.2rem' }}>
            {time(each.at)}
          </time>
          <span>
            {coded('timeline', each.kind) ?? each.kind.replaceAll('_', ' ')}
            {detailText(each.detail) && <span className="soft small"> · {detailText(each.detail)}</span>}
          </span>
        </li>
      ))}
    </ol>
  )
}

export function TimelinePicture({ items, spans }: { items: TimelineItem[]; spans: { from: number; to: number }[] }) {
  const { t } = useWords()
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
          <title>{each.kind}</title>
        </circle>
      ))}
    </svg>
  )
}
