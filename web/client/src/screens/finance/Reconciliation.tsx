// Owns the comparisons, with Stripe and of every bill, and the cases that differences became.
import { Button } from '@mantine/core'
import { useLocation } from 'react-router'
import { post } from '../../api/client'
import type { Run } from '../../api/types'
import { Problem } from '../../parts/Problem'
import { useWords } from '../../parts/words'
import { CaseCard } from './Cases'
import { ConsolePage } from './Console'
import { Found, OpenOrClosed, Table } from './parts'
import { useAct, useCases, useMayAct, useRuns } from './queries'

const kinds = ['provider', 'bills'] as const

function Totals({ totals }: { totals: Run['totals'] }) {
  const { t, money } = useWords()
  return (
    <>
      {Object.entries(totals).map(([currency, sum]) => {
        const figure = (name: string) => money(sum[`${name}_minor`] ?? 0, currency)
        return (
          <div key={currency} className={sum.difference_minor ? 'bad-ink' : undefined}>
            {t('finance.run.total', { stripe: figure('stripe'), books: figure('books'), difference: figure('difference') })}
          </div>
        )
      })}
    </>
  )
}

function Runs() {
  const { t, date } = useWords()
  const mayAct = useMayAct()
  const found = useRuns()
  const start = useAct((kind: Run['kind']) => post<Run>('/api/finance/reconciliation', { kind }))
  const columns = [
    { name: t('finance.run.started') },
    { name: t('finance.run.what') },
    { name: t('finance.run.span') },
    { name: t('finance.run.checked'), figure: true },
    { name: t('finance.run.differences'), figure: true },
    { name: t('finance.run.totals') },
  ]
  return (
    <section className="panel stack tight">
      <h2>{t('finance.run.title')}</h2>
      {mayAct && (
        <div className="row">
          {kinds.map((kind) => (
            <Button key={kind} variant="default" loading={start.isPending && start.variables === kind} onClick={() => start.mutate(kind)} data-testid={`compare-${kind}`}>
              {t(`finance.run.now.${kind}`)}
            </Button>
          ))}
        </div>
      )}
      <Problem error={start.error} />
      <Found query={found}>
        {({ items }) =>
          items.length ? (
            <Table label={t('finance.run.title')} columns={columns}>
              {items.slice(0, 20).map((run) => (
                <tr key={run.id} data-testid="run">
                  <td>{date(run.started_at)}</td>
                  <td>{t(`finance.run.kind.${run.kind}`)}</td>
                  <td>
                    {date(run.since)} – {date(run.until)}
                  </td>
                  {run.finished_at ? (
                    <>
                      <td className="right">{run.checked}</td>
                      <td className="right">{run.differences ? <strong className="bad-ink">{run.differences}</strong> : t('finance.run.none_found')}</td>
                      <td>
                        <Totals totals={run.totals} />
                      </td>
                    </>
                  ) : (
                    <td colSpan={3}>{t('finance.run.runs')}</td>
                  )}
                </tr>
              ))}
            </Table>
          ) : (
            <p>{t('finance.run.never')}</p>
          )
        }
      </Found>
    </section>
  )
}

export function Reconciliation() {
  const { t } = useWords()
  const closed = useLocation().pathname.endsWith('/closed')
  const cases = useCases(closed)
  return (
    <ConsolePage title={t('finance.tab.reconciliation')} lead={t('finance.run.lead')}>
      <Runs />
      <section className="stack tight">
        <h2 style={{ margin: 0 }}>{t('finance.cases')}</h2>
        <OpenOrClosed path="/finance/reconciliation" />
        <Found query={cases}>
          {({ items }) =>
            items.length ? (
              <ul className="plain stack">
                {items.map((each) => (
                  <CaseCard key={each.id} one={each} linked />
                ))}
              </ul>
            ) : (
              <p className="panel">{t(closed ? 'finance.cases_none_closed' : 'finance.cases_none')}</p>
            )
          }
        </Found>
      </section>
    </ConsolePage>
  )
}
