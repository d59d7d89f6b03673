// Owns what waits for a second person: approve or reject, never one's own request.
import { Button } from '@mantine/core'
import { post } from '../../api/client'
import type { Approval } from '../../api/types'
import { Problem } from '../../parts/Problem'
import { say } from '../../parts/toast'
import { useWords } from '../../parts/words'
import { ConsolePage } from './Console'
import { Confirm, FactPairs, Found } from './parts'
import { useAct, useApprovals, useMayAct } from './queries'

function One({ approval }: { approval: Approval }) {
  const { t, money, date } = useWords()
  const mayAct = useMayAct()
  const amount = money(approval.amount_minor, approval.currency)
  const decide = useAct(
    (approved: boolean) => post<void>(`/api/finance/approvals/${approval.id}`, { approved }),
    () => say(t('finance.approval.done')),
  )
  return (
    <li className="panel" data-testid="approval">
      <h2>{t(`finance.approval.${approval.kind}`, { amount })}</h2>
      <FactPairs
        pairs={[
          [t('finance.approval.by'), approval.asked_by_name],
          [t('finance.approval.at'), date(approval.asked_at)],
          [t('finance.note'), approval.note || t('finance.no_note')],
        ]}
      />
      <Problem error={decide.error} />
      {approval.mine && <p className="note">{t('finance.approval.mine')}</p>}
      {mayAct && !approval.mine && (
        <div className="row" style={{ marginTop: '1rem' }}>
          <Confirm
            label={t('finance.approval.approve')}
            question={t(`finance.approval.sure.${approval.kind}`, { amount })}
            confirm={t('finance.approval.approve_amount', { amount })}
            act={() => decide.mutate(true)}
            pending={decide.isPending}
            testId="approve"
          />
          <Button variant="default" loading={decide.isPending} onClick={() => decide.mutate(false)} data-testid="reject">
            {t('finance.approval.reject')}
          </Button>
        </div>
      )}
    </li>
  )
}

export function Approvals() {
  const { t } = useWords()
  const found = useApprovals()
  return (
    <ConsolePage title={t('finance.tab.approvals')} lead={t('finance.approval.lead')}>
      <Found query={found}>
        {({ items }) =>
          items.length ? (
            <ul className="plain stack">
              {items.map((each) => (
                <One key={each.id} approval={each} />
              ))}
            </ul>
          ) : (
            <p className="panel">{t('finance.approval.none')}</p>
          )
        }
      </Found>
    </ConsolePage>
  )
}
