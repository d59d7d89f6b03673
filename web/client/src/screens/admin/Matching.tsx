// Owns the admins' page of matching: how well it does over time, whether its foretelling holds, and what ranks.
import { Button } from '@mantine/core'
import { useSearchParams } from 'react-router'
import type { DayFigures, Learning, Refit } from '../../api/types'
import { LineChart, Reliability } from '../../parts/charts'
import { Page } from '../../parts/Page'
import { Problem } from '../../parts/Problem'
import { useWords } from '../../parts/words'
import { everyDay } from '../../rules/chart'
import { Found } from '../finance/parts'
import { Models } from './Models'
import { useMatching, useRefit } from './queries'

const spans = [7, 30, 90] as const

function Charts({ figures }: { figures: DayFigures[] }) {
  const { t, number, percent } = useWords()
  const days = everyDay(figures[0]?.day ?? '', figures.at(-1)?.day ?? '')
  const of = new Map(figures.map((each) => [each.day, each]))
  const line = (name: string, value: (figures: DayFigures) => number | null) => ({
    name,
    values: days.map((day) => {
      const found = of.get(day)
      return found ? value(found) : null
    }),
  })
  const count = (value: number) => number(value, 1)
  const share = (value: number) => percent(value * 10_000)
  return (
    <div className="side-by-side">
      <LineChart
        title={t('admin.chart.questions')}
        days={days}
        show={count}
        series={[line(t('admin.line.questions'), (each) => each.questions), line(t('admin.line.answered_in_time'), (each) => each.answered_in_time), line(t('admin.line.met_in_time'), (each) => each.met_in_time)]}
      />
      <LineChart
        title={t('admin.chart.wait')}
        days={days}
        show={(value) => t('admin.seconds', { value: number(value, 0) })}
        series={[line(t('admin.line.median'), (each) => each.median_s), line(t('admin.line.p95'), (each) => each.p95_s)]}
      />
      <LineChart title={t('admin.chart.ranking')} days={days} most={1} show={(value) => number(value, 2)} series={[line(t('admin.line.mrr10'), (each) => each.mrr10), line(t('admin.line.hit3'), (each) => each.hit3)]} />
      <LineChart title={t('admin.chart.talks')} days={days} show={count} series={[line(t('admin.line.connected'), (each) => each.connected), line(t('admin.line.completed'), (each) => each.completed)]} />
      <LineChart title={t('admin.chart.stars')} days={days} most={5} show={(value) => number(value, 1)} series={[line(t('admin.line.stars'), (each) => each.stars)]} />
      <LineChart title={t('admin.chart.refunded')} days={days} show={share} series={[line(t('admin.line.refunded'), (each) => each.refunded_share)]} />
      <LineChart title={t('admin.chart.newcomers')} days={days} show={count} series={[line(t('admin.line.newcomers'), (each) => each.newcomer_contacts)]} />
    </div>
  )
}

const stages = ['waiting', 'reading', 'fitting', 'judging', 'figures', 'done'] as const

function RefitPart({ last, gate }: { last: Refit | null; gate: Learning['gate'] }) {
  const { t, date, number } = useWords()
  const refit = useRefit()
  const runs = last !== null && last.finished_at === null
  return (
    <section className="panel stack tight" aria-labelledby="refit">
      <h2 id="refit">{t('admin.refit')}</h2>
      <p className="soft">
        {t('admin.refit_lead', {
          training: gate.min_training,
          holdout: gate.min_holdout,
          ranking: number(gate.ranking_margin, 3),
          calibration: number(gate.calibration_margin, 3),
          good: number(gate.calibration_good, 3),
        })}
      </p>
      <div role="status" data-testid="refit-state">
        {last === null && <p>{t('admin.refit_never')}</p>}
        {runs && (
          <label>
            {t(`admin.stage.${last.stage}`)}
            <progress max={stages.length - 1} value={stages.indexOf(last.stage)} style={{ display: 'block', width: '100%' }} />
          </label>
        )}
        {last?.outcome && (
          <p data-testid="refit-outcome">
            {date(last.finished_at ?? last.started_at)}:{' '}
            {t(`admin.outcome.${last.outcome}`, { version: last.version ?? '', training: last.training, holdout: last.holdout })}
          </p>
        )}
      </div>
      <Problem error={refit.error} />
      <div>
        <Button loading={refit.isPending || runs} onClick={() => refit.mutate(undefined)} data-testid="refit">
          {t('admin.refit_now')}
        </Button>
      </div>
    </section>
  )
}

function Span({ days, choose }: { days: number; choose: (days: number) => void }) {
  const { t } = useWords()
  return (
    <div className="row" role="group" aria-label={t('admin.span')}>
      {spans.map((each) => (
        <Button key={each} variant={each === days ? 'filled' : 'default'} aria-pressed={each === days} onClick={() => choose(each)}>
          {t('admin.days', { count: each })}
        </Button>
      ))}
    </div>
  )
}

function Figures({ found }: { found: Learning }) {
  const { t, number, percent } = useWords()
  const { whole } = found
  const tiles: [string, string][] = [
    [t('admin.tile.questions'), String(whole.questions)],
    [t('admin.tile.in_time'), whole.rung ? percent((10_000 * whole.answered_in_time) / whole.rung) : '–'],
    [t('admin.tile.met_in_time'), whole.rung ? percent((10_000 * whole.met_in_time) / whole.rung) : '–'],
    [t('admin.tile.mrr10'), whole.mrr10 === null ? '–' : number(whole.mrr10, 2)],
    [t('admin.tile.stars'), whole.stars === null ? '–' : number(whole.stars, 2)],
    [t('admin.tile.calibration'), whole.calibration_error === null ? '–' : number(whole.calibration_error, 3)],
  ]
  return (
    <>
      <dl className="tiles">
        {tiles.map(([name, value]) => (
          <div key={name} className="panel tile">
            <dt className="small">{name}</dt>
            <dd className="tile-count" style={{ margin: 0 }}>
              {value}
            </dd>
          </div>
        ))}
      </dl>
      <Charts figures={found.days} />
      {found.bins.some((each) => each.n > 0) ? <Reliability bins={found.bins} /> : <p className="panel soft">{t('admin.calibration_none')}</p>}
    </>
  )
}

export function Matching() {
  const { t } = useWords()
  const [address, setAddress] = useSearchParams()
  const wanted = Number(address.get('days'))
  const days = spans.find((each) => each === wanted) ?? 30
  const found = useMatching(days)
  return (
    <Page title={t('admin.matching')}>
      <p className="soft">{t('admin.matching_lead')}</p>
      <Found query={found}>
        {(data) => (
          <div className="stack">
            <section className="stack" aria-labelledby="figures">
              <h2 id="figures">{t('admin.figures')}</h2>
              <Span days={days} choose={(each) => setAddress({ days: String(each) }, { replace: true })} />
              {data.days.length ? <Figures found={data} /> : <p className="panel" data-testid="no-figures">{t('admin.no_figures')}</p>}
            </section>
            <RefitPart last={data.refit} gate={data.gate} />
            <section className="stack" aria-labelledby="versions">
              <h2 id="versions">{t('admin.versions')}</h2>
              <Models models={data.models} />
            </section>
          </div>
        )}
      </Found>
    </Page>
  )
}
