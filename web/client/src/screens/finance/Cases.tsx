// Owns a case: what a person must look at, its figures in words, and closing it with what was found.
import { Button, Textarea } from '@mantine/core'
import { useState } from 'react'
import { Link } from 'react-router'
import { post } from '../../api/client'
import type { Case } from '../../api/types'
import { Problem } from '../../parts/Problem'
import { say } from '../../parts/toast'
import { useWords } from '../../parts/words'
import { FactPairs } from './parts'
import { useAct, useMayAct } from './queries'
import { plainCode } from '../../rules/codes'
import { useDetails } from './wording'

function Close({ one }: { one: Case }) {
  const { t } = useWords()
  const [resolution, setResolution] = useState('')
  const close = useAct(
    () => post<void>(`/api/finance/cases/${one.id}/close`, { resolution: resolution.trim() }),
    () => say(t('finance.case_done')),
  )
  return (
    <form
      className="stack tight"
      onSubmit={(event) => {
        event.preventDefault()
        close.mutate(undefined)
      }}
    >
      <Textarea label={t('finance.case_resolution')} description={t('finance.case_resolution_hint')} autosize minRows={2} maxLength={2_000} value={resolution} onChange={(event) => setResolution(event.currentTarget.value)} data-testid="resolution" />
      <Problem error={close.error} />
      <div>
        <Button type="submit" variant="default" loading={close.isPending} disabled={resolution.trim().length < 3} data-testid="close-case">
          {t('finance.case_close')}
        </Button>
      </div>
    </form>
  )
}

export function CaseCard({ one, linked }: { one: Case; linked: boolean }) {
  const { t, date, coded } = useWords()
  const details = useDetails()
  const mayAct = useMayAct()
  return (
    <li className="panel stack tight" data-testid="case">
      <h3>{coded('finance.case', one.kind) ?? plainCode(one.kind)}</h3>
      <FactPairs
        pairs={[
          [t('finance.case_opened'), date(one.opened_at)],
          ...details(one.details),
          ...(one.closed_at ? ([[t('finance.case_closed'), date(one.closed_at)], [t('finance.case_resolution'), one.resolution ?? '–']] satisfies [string, string][]) : []),
        ]}
      />
      {linked && one.charge_id && (
        <Link className="row-link" to={`/finance/charges/${one.charge_id}`}>
          {t('finance.case_charge')}
        </Link>
      )}
      {typeof one.details.payout === 'string' && (
        <Link className="row-link" to={`/finance/payouts/${one.details.payout}`}>
          {t('finance.case_payout')}
        </Link>
      )}
      {!one.closed_at && mayAct && <Close one={one} />}
    </li>
  )
}
