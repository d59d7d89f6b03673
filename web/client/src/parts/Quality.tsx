// Owns showing how good a connection is: now, with a sign and words; and afterwards, drawn over the time of a call.
import type { QualityOut, SampleOut } from '../api/schema'
import type { Sample } from '../media/stats'
import { type Level, levelOf } from '../rules/level'
import { Bars } from './pictures'
import { useWords } from './words'

const bars = { good: 3, fair: 2, poor: 1 } as const

export function QualitySign({ level, sample, held }: { level: Level; sample: Sample | null; held: boolean }) {
  const { t } = useWords()
  return (
    <details className="quality" data-testid="quality" data-level={level}>
      <summary>
        <Bars count={bars[level]} />
        <span role="status">{held ? t('quality.held') : t(`quality.${level}`)}</span>
      </summary>
      {sample && (
        <p className="small soft numbers">
          {t('quality.figures', { rtt: sample.rtt_ms ?? 0, loss: sample.loss_permille / 1_000, jitter: sample.jitter_ms, kbps: sample.kbps })}
        </p>
      )}
    </details>
  )
}

const [WIDTH, HEIGHT, LEFT] = [1000, 74, 8]
const MOST_RTT_MS = 600
const MOST_LOSS = 200

function Lane({ samples, from, to, name }: { samples: SampleOut[]; from: number; to: number; name: string }) {
  const { t } = useWords()
  const x = (at: string) => LEFT + ((Date.parse(at) - from) / Math.max(1, to - from)) * (WIDTH - 2 * LEFT)
  const y = (share: number) => HEIGHT - 4 - Math.min(1, share) * (HEIGHT - 10)
  const width = Math.max(2, ((WIDTH - 2 * LEFT) * 2_000) / Math.max(2_000, to - from) - 0.5)
  const rtt = samples.filter((one) => one.rtt_ms !== null)
  const worst = samples.reduce((most, one) => Math.max(most, one.loss_permille), 0)
  const levels = samples.map(levelOf)
  return (
    <figure style={{ margin: '0 0 0.75rem' }}>
      <figcaption className="small">
        {name}: {t('quality.summary', { poor: levels.filter((one) => one === 'poor').length * 2, fair: levels.filter((one) => one === 'fair').length * 2, loss: worst / 1_000 })}
      </figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={t('quality.picture', { name })} style={{ width: '100%', height: 'auto' }}>
        <line x1={LEFT} x2={WIDTH - LEFT} y1={HEIGHT - 4} y2={HEIGHT - 4} stroke="var(--line)" strokeWidth="2" />
        {samples.map((one) => (
          <g key={one.at}>
            {one.video_held && <rect x={x(one.at)} y="0" width={width} height={HEIGHT - 4} fill="var(--line)" />}
            <rect x={x(one.at)} y={y(one.loss_permille / MOST_LOSS)} width={width} height={HEIGHT - 4 - y(one.loss_permille / MOST_LOSS)} fill="var(--warn)" />
          </g>
        ))}
        <polyline points={rtt.map((one) => `${x(one.at)},${y((one.rtt_ms ?? 0) / MOST_RTT_MS)}`).join(' ')} fill="none" stroke="var(--accent)" strokeWidth="3" strokeLinejoin="round" />
      </svg>
    </figure>
  )
}

export function QualityPicture({ quality }: { quality: QualityOut }) {
  const { t, time } = useWords()
  const { items } = quality
  if (items.length < 2) return <p className="soft">{t('quality.none')}</p>
  const times = items.map((one) => Date.parse(one.at))
  const [from, to] = [Math.min(...times), Math.max(...times) + 2_000]
  return (
    <div data-testid="quality-picture">
      <p className="small soft">{t('quality.legend')}</p>
      {(['customer', 'consultant'] as const).flatMap((side) =>
        (['server', 'client'] as const).map((source) => {
          const samples = items.filter((one) => one.side === side && one.source === source)
          return samples.length > 0 && <Lane key={side + source} samples={samples} from={from} to={to} name={t(`quality.lane.${side}.${source}`)} />
        }),
      )}
      <details>
        <summary>{t('quality.table')}</summary>
        <div className="scroller" tabIndex={0} role="region" aria-label={t('quality.table')} style={{ maxHeight: '20rem' }}>
          <table className="plain small">
            <thead>
              <tr>
                {(['receipt.when', 'quality.who', 'quality.rtt', 'quality.loss', 'quality.jitter', 'quality.kbps', 'quality.freezes'] as const).map((name) => (
                  <th key={name} scope="col">
                    {t(name)}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {items.map((one) => (
                <tr key={one.at + one.side + one.source}>
                  <td>{time(one.at)}</td>
                  <td>{t(`quality.lane.${one.side}.${one.source}`)}</td>
                  <td>{one.rtt_ms ?? '–'}</td>
                  <td>{one.loss_permille / 10}</td>
                  <td>{one.jitter_ms}</td>
                  <td>{one.kbps}</td>
                  <td>{one.video_held ? t('quality.held') : one.freezes}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </details>
    </div>
  )
}
