// Owns the sum done again: the server computes it from the raw intervals each time it is asked.
import { Button } from '@mantine/core'
import type { ChargeDetail } from '../../api/types'
import { useWords } from '../../parts/words'
import { useCharge } from './queries'

export function Recomputed({ detail }: { detail: ChargeDetail }) {
  const { t, money, time } = useWords()
  const again = useCharge(detail.row.charge_id)
  const { gross_minor, matches } = detail.recomputed
  return (
    <div className={matches ? 'note row spread' : 'note bad row spread'}>
      <span role={matches ? 'status' : 'alert'} data-testid="recomputed">
        {t(matches ? 'finance.recomputed_same' : 'finance.recomputed_other', { amount: money(gross_minor, detail.row.currency) })}{' '}
        <span className="small">{t('finance.recomputed_at', { at: time(again.dataUpdatedAt) })}</span>
      </span>
      <Button variant="default" loading={again.isFetching} onClick={() => void again.refetch()} data-testid="recompute">
        {t('finance.recompute')}
      </Button>
    </div>
  )
}
