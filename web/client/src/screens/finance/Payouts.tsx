// Owns the list of payouts: where each is, when it arrives, and what to fix where one failed.
import { Button } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { Link } from 'react-router'
import { download } from '../../api/client'
import type { Payout } from '../../api/types'
import { Problem } from '../../parts/Problem'
import { useWords } from '../../parts/words'
import { ConsolePage } from './Console'
import { Found, Table } from './parts'
import { usePayouts } from './queries'
import { plainCode } from '../../rules/codes'

export function PayoutFailure({ payout }: { payout: Payout }) {
  const { t, coded } = useWords()
  if (payout.status !== 'failed' && !payout.failure_code) return null
  const fix = payout.failure_code && coded('finance.failure', payout.failure_code)
  return (
    <span className="small">
      {fix ?? payout.failure_message ?? t('finance.payout.failed')}
      {payout.failure_code && <span className="soft"> ({plainCode(payout.failure_code)})</span>}
    </span>
  )
}

export function Payouts() {
  const { t, money, date, coded } = useWords()
  const found = usePayouts()
  const file = useMutation({ mutationFn: () => download('/api/finance/payouts.csv', 'payouts.csv') })
  const columns = [
    { name: t('finance.payout.number') },
    { name: t('finance.consultant') },
    { name: t('receipt.amount'), figure: true },
    { name: t('finance.state') },
    { name: t('finance.payout.created') },
    { name: t('finance.payout.arrives') },
  ]
  return (
    <ConsolePage title={t('finance.tab.payouts')} lead={t('finance.payout.lead')}>
      <Found query={found}>
        {({ pages }) => (
          <div className="panel stack">
            {pages[0]?.items.length ? (
              <Table label={t('finance.tab.payouts')} columns={columns}>
                {pages.flatMap(({ items }) => items).map((each) => (
                  <tr key={each.id} data-testid="payout-row">
                    <td>
                      <Link className="row-link" to={`/finance/payouts/${each.id}`}>
                        {each.id}
                      </Link>
                    </td>
                    <td>{each.consultant_name}</td>
                    <td className="right">{money(each.amount_minor, each.currency)}</td>
                    <td>
                      <span className={each.status === 'failed' ? 'bad-ink' : undefined}>{coded('finance.payout_status', each.status) ?? each.status}</span>
                      <br />
                      <PayoutFailure payout={each} />
                    </td>
                    <td>{date(each.created_at)}</td>
                    <td>{each.arrives_at && each.status !== 'failed' && each.status !== 'canceled' ? date(each.arrives_at) : '–'}</td>
                  </tr>
                ))}
              </Table>
            ) : (
              <p style={{ margin: 0 }}>{t('finance.payout.none')}</p>
            )}
            <Problem error={file.error} />
            <div className="row">
              {found.hasNextPage && (
                <Button variant="default" loading={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()} data-testid="payouts-more">
                  {t('common.more')}
                </Button>
              )}
              <Button variant="default" loading={file.isPending} onClick={() => file.mutate()} data-testid="payouts-csv">
                {t('finance.csv')}
              </Button>
            </div>
          </div>
        )}
      </Found>
    </ConsolePage>
  )
}
