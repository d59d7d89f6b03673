// Owns the head of the console: a difference comes first and red, then the sums of every currency.
import { Link } from 'react-router'
import type { Overview, Run } from '../../api/types'
import { Problem } from '../../parts/Problem'
import { useWords } from '../../parts/words'
import { useOverview, useRuns } from './queries'

const sums = ['captured', 'held', 'released', 'commission', 'payable', 'fees', 'difference'] as const

/** The newest comparison of each kind that has ended. */
function latest(runs: Run[]): Run[] {
  return (['provider', 'bills'] as const).flatMap((kind) => runs.find((run) => run.kind === kind && run.finished_at) ?? [])
}

function Differences({ overview, runs }: { overview: Overview; runs: Run[] }) {
  const { t, money, date } = useWords()
  const books = overview.currencies.filter((each) => each.difference_minor !== 0)
  const found = latest(runs)
  const unequal = found.filter((run) => run.differences > 0)
  const totals = found.flatMap((run) => Object.entries(run.totals)).filter(([, sum]) => sum.difference_minor)
  if (books.length || unequal.length || totals.length) {
    return (
      <div className="note bad" role="alert" data-testid="difference">
        {books.map((each) => (
          <p key={each.currency}>{t('finance.difference_bad', { amount: money(each.difference_minor, each.currency) })}</p>
        ))}
        {totals.map(([currency, sum]) => (
          <p key={currency}>{t('finance.difference_total', { amount: money(sum.difference_minor ?? 0, currency) })}</p>
        ))}
        {unequal.map((run) => (
          <p key={run.id}>{t(`finance.difference_run.${run.kind}`, { count: run.differences, at: date(run.started_at) })}</p>
        ))}
        <Link className="row-link" to="/finance/reconciliation">
          {t('finance.difference_look')}
        </Link>
      </div>
    )
  }
  const last = found[0]
  return (
    <p className="note" role="status" data-testid="no-difference">
      {last ? t('finance.difference_none', { at: date(last.started_at) }) : t('finance.difference_not_compared')}
    </p>
  )
}

export function OverviewPart() {
  const { t, money } = useWords()
  const overview = useOverview()
  const runs = useRuns()
  if (!overview.data) return <Problem error={overview.error} retry={() => void overview.refetch()} />
  return (
    <>
      <Problem error={runs.error} retry={() => void runs.refetch()} />
      {runs.data && <Differences overview={overview.data} runs={runs.data.items} />}
      {overview.data.currencies.map((each) => (
        <section className="panel" key={each.currency} aria-label={t('finance.overview', { currency: each.currency.toUpperCase() })}>
          <dl className="row" style={{ margin: 0, gap: '0.5rem 2rem' }}>
            {sums.map((name) => (
              <div key={name}>
                <dt className="soft small">{t(`finance.sum.${name}`)}</dt>
                <dd className={name === 'difference' && each.difference_minor ? 'numbers bad-ink' : 'numbers'} style={{ margin: 0, fontWeight: 620 }}>
                  {money(each[`${name}_minor`], each.currency)}
                </dd>
              </div>
            ))}
          </dl>
        </section>
      ))}
    </>
  )
}
