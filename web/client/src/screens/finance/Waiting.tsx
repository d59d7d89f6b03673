// Owns what waits for finance, as tiles that lead to its list: how many, and the most urgent in words.
import { Link } from 'react-router'
import { useWords } from '../../parts/words'
import { useAccounts, useApprovals, useCases, useDisputes, useProblems } from './queries'
import { useTimeLeft } from './wording'

interface Tile {
  name: 'approvals' | 'problems' | 'disputes' | 'cases' | 'held' | 'failed'
  to: string
  count: number | undefined
  hint?: string
}

export function Waiting() {
  const { t } = useWords()
  const left = useTimeLeft()
  const approvals = useApprovals().data?.items
  const disputes = useDisputes(false).data?.items
  const accounts = useAccounts().data?.items
  const cases = useCases(false).data?.items
  const nearest = disputes?.find((each) => each.due_at && !each.handed_in)
  const mine = approvals?.filter((each) => each.mine).length
  const tiles: Tile[] = [
    { name: 'approvals', to: '/finance/approvals', count: approvals?.length, hint: mine ? t('finance.tile.mine', { count: mine }) : undefined },
    { name: 'problems', to: '/finance/problems', count: useProblems().data?.items.length },
    { name: 'disputes', to: '/finance/disputes', count: disputes?.length, hint: nearest?.due_at ? `${nearest.reference}: ${left(nearest.due_at)}` : disputes?.length ? t('finance.dispute.bank_decides') : undefined },
    { name: 'cases', to: '/finance/reconciliation', count: cases?.length },
    { name: 'held', to: '/finance/accounts', count: accounts?.filter((each) => each.held_at).length },
    { name: 'failed', to: '/finance/payouts', count: cases?.filter((each) => each.kind === 'payout_failed').length }, // until its case is closed
  ]
  return (
    <section aria-label={t('finance.waits')}>
      <h2>{t('finance.waits')}</h2>
      {tiles.every((tile) => tile.count === 0) && <p>{t('finance.nothing_waits')}</p>}
      <ul className="tiles">
        {tiles.map((tile) => (
          <li key={tile.name}>
            <Link to={tile.to} className={tile.count ? 'panel tile some' : 'panel tile'} data-testid={`tile-${tile.name}`}>
              <span className="tile-count">{tile.count ?? '…'}</span>
              <span>{t(`finance.tile.${tile.name}`, { count: tile.count ?? 0 })}</span>
              {tile.hint && <span className="small soft">{tile.hint}</span>}
            </Link>
          </li>
        ))}
      </ul>
    </section>
  )
}
