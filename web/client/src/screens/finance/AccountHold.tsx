// Owns holding an account back with a reason, and releasing it, which above a limit a second person must agree to.
import { Button, TextInput } from '@mantine/core'
import { useState } from 'react'
import { post } from '../../api/client'
import type { PayoutAccountRow, Released } from '../../api/types'
import { Problem } from '../../parts/Problem'
import { say } from '../../parts/toast'
import { useWords } from '../../parts/words'
import { useAct, useMayAct } from './queries'

export function AccountHold({ account }: { account: PayoutAccountRow }) {
  const { t } = useWords()
  const mayAct = useMayAct()
  const [why, setWhy] = useState('')
  const held = account.held_at !== null
  const path = `/api/finance/payout-accounts/${account.consultant_id}`
  const act = useAct(
    async () => {
      if (held) return (await post<Released>(`${path}/release`, { note: why.trim() })).released ? 'released' : 'asked'
      await post<void>(`${path}/hold`, { reason: why.trim() })
      return 'held'
    },
    (outcome) => {
      setWhy('')
      say(t(`finance.accounts.did.${outcome}`))
    },
  )
  if (!mayAct || (held && account.release_asked)) return null
  const form = (
    <form
      className="row"
      style={{ alignItems: 'flex-end' }}
      onSubmit={(event) => {
        event.preventDefault()
        act.mutate(undefined)
      }}
    >
      <TextInput
        label={t(held ? 'finance.accounts.release_note' : 'finance.accounts.hold_reason')}
        description={t(held ? 'finance.accounts.release_hint' : 'finance.accounts.hold_hint')}
        value={why}
        maxLength={500}
        onChange={(event) => setWhy(event.currentTarget.value)}
        data-testid="hold-why"
        style={{ flex: '1 1 18rem' }}
      />
      <Button type="submit" variant="default" loading={act.isPending} disabled={why.trim().length < 3} data-testid={held ? 'release' : 'hold'}>
        {t(held ? 'finance.accounts.release' : 'finance.accounts.hold')}
      </Button>
      <Problem error={act.error} />
    </form>
  )
  if (held) return form
  return (
    <details>
      <summary>{t('finance.accounts.hold')}</summary>
      {form}
    </details>
  )
}
