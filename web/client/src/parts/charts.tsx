// Owns drawn figures: a line over days, and foretold against true; each with its numbers as a table beside it.
import { roundAbove, runs } from '../rules/chart'
import { useWords } from './words'

const [WIDTH, HEIGHT, LEFT, TOP, FOOT] = [360, 170, 40, 12, 24]

/** One line; the second of a drawing is dashed, so that colour alone never tells them apart. */
export interface Series {
  name: string
  values: (number | null)[]
}

const strokes = [
  { stroke: 'var(--accent)', strokeDasharray: undefined },
  { stroke: 'var(--warn)', strokeDasharray: '6 4' },
]

function Key({ dashed }: { dashed: boolean }) {
  return (
    <svg viewBox="0 0 28 10" width="28" height="10" aria-hidden="true" style={{ flex: 'none' }}>
      <path d="M1 5h26" fill="none" strokeWidth="3" {...strokes[dashed ? 1 : 0]} />
    </svg>
  )
}

export function LineChart(props: { title: string; days: string[]; series: Series[]; most?: number; show: (value: number) => string }) {
  const { t, locale } = useWords()
  const { title, days, series, show } = props
  const most = props.most ?? roundAbove(Math.max(0, ...series.flatMap((each) => each.values.map((value) => value ?? 0))))
  const x = (n: number) => LEFT + ((WIDTH - LEFT - 8) * (days.length > 1 ? n : 0.5)) / Math.max(1, days.length - 1)
  const y = (value: number) => HEIGHT - FOOT - ((HEIGHT - FOOT - TOP) * Math.min(value, most)) / most
  const named = (day: string) => new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short', timeZone: 'UTC' }).format(new Date(day))
  return (
    <figure className="panel chart">
      <figcaption>
        <strong>{title}</strong>
        <ul className="plain row small" style={{ gap: '0.2rem 1rem' }}>
          {series.map((each, n) => (
            <li key={each.name} style={{ display: 'inline-flex', gap: '0.4rem', alignItems: 'center' }}>
              <Key dashed={n > 0} />
              {each.name}
            </li>
          ))}
        </ul>
      </figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} aria-hidden="true" style={{ width: '100%', height: 'auto' }}>
        {[0, 0.5, 1].map((share) => (
          <g key={share}>
            <line x1={LEFT} x2={WIDTH - 8} y1={y(share * most)} y2={y(share * most)} stroke="var(--line)" />
            <text x={LEFT - 6} y={y(share * most) + 4} textAnchor="end" fontSize="12" fill="var(--soft)">
              {show(share * most)}
            </text>
          </g>
        ))}
        {series.map((each, n) =>
          runs(each.values).map((run) => (
            <g key={run[0]?.[0]}>
              <polyline points={run.map(([at, value]) => `${x(at)},${y(value)}`).join(' ')} fill="none" strokeWidth="2.5" strokeLinejoin="round" {...strokes[n]} />
              {run.length === 1 && run.map(([at, value]) => <circle key={at} cx={x(at)} cy={y(value)} r="3.5" fill={strokes[n]?.stroke} />)}
            </g>
          )),
        )}
        {[0, days.length - 1].filter((n, place, all) => all.indexOf(n) === place).map((n) => (
          <text key={n} x={x(n)} y={HEIGHT - 6} textAnchor={days.length === 1 ? 'middle' : n ? 'end' : 'start'} fontSize="12" fill="var(--soft)">
            {named(days[n] ?? '')}
          </text>
        ))}
      </svg>
      <details>
        <summary>{t('admin.as_table')}</summary>
        <div className="scroller" tabIndex={0} role="region" aria-label={title} style={{ maxHeight: '18rem', overflow: 'auto' }}>
          <table className="plain small">
            <thead>
              <tr>
                <th scope="col">{t('admin.day')}</th>
                {series.map((each) => (
                  <th key={each.name} scope="col" className="right">
                    {each.name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {days.map((day, n) => (
                <tr key={day}>
                  <th scope="row">{named(day)}</th>
                  {series.map((each) => {
                    const value = each.values[n] ?? null
                    return (
                      <td key={each.name} className="right">
                        {value === null ? '–' : show(value)}
                      </td>
                    )
                  })}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </details>
    </figure>
  )
}

const SIDE = 300

/** What was foretold (across) against what came true (up); on the diagonal both are the same. */
export function Reliability({ bins }: { bins: { n: number; foretold: number; came_true: number }[] }) {
  const { t, percent } = useWords()
  const known = bins.filter((each) => each.n > 0)
  const share = (value: number) => percent(value * 10_000)
  const greatest = Math.max(1, ...known.map((each) => each.n))
  const x = (value: number) => 40 + value * (SIDE - 62)
  const y = (value: number) => SIDE - 36 - value * (SIDE - 62)
  return (
    <figure className="panel chart">
      <figcaption>
        <strong>{t('admin.calibration')}</strong>
        <p className="small soft">{t('admin.calibration_legend')}</p>
      </figcaption>
      <svg viewBox={`0 0 ${SIDE} ${SIDE}`} aria-hidden="true" style={{ width: '100%', maxWidth: '26rem', height: 'auto' }}>
        {[0, 0.5, 1].map((value) => (
          <g key={value} fontSize="12" fill="var(--soft)">
            <line x1={x(0)} x2={x(1)} y1={y(value)} y2={y(value)} stroke="var(--line)" />
            <line x1={x(value)} x2={x(value)} y1={y(0)} y2={y(1)} stroke="var(--line)" />
            <text x={x(0) - 5} y={y(value) + 4} textAnchor="end">
              {share(value)}
            </text>
            <text x={x(value)} y={y(0) + 16} textAnchor="middle">
              {share(value)}
            </text>
          </g>
        ))}
        <line x1={x(0)} y1={y(0)} x2={x(1)} y2={y(1)} stroke="var(--soft)" strokeDasharray="4 4" />
        <polyline points={known.map((each) => `${x(each.foretold)},${y(each.came_true)}`).join(' ')} fill="none" stroke="var(--accent)" strokeWidth="2" />
        {known.map((each) => (
          <circle key={each.foretold} cx={x(each.foretold)} cy={y(each.came_true)} r={3 + 6 * Math.sqrt(each.n / greatest)} fill="var(--accent)" fillOpacity="0.75" />
        ))}
      </svg>
      <details>
        <summary>{t('admin.as_table')}</summary>
        <table className="plain small">
          <caption className="hidden">{t('admin.calibration')}</caption>
          <thead>
            <tr>
              {(['admin.foretold', 'admin.came_true', 'admin.candidates'] as const).map((name) => (
                <th key={name} scope="col" className="right">
                  {t(name)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {known.map((each) => (
              <tr key={each.foretold}>
                <th scope="row" className="right">
                  {share(each.foretold)}
                </th>
                <td className="right">{share(each.came_true)}</td>
                <td className="right">{each.n}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </figure>
  )
}
