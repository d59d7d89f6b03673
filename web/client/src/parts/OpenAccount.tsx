// Owns the opening of a consultant's payout account: its country, chosen once, and the way to Stripe's pages.
import { Button, type ButtonProps, Select } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { get, post } from '../api/client'
import type { PayoutAccount } from '../api/types'
import { useCountries } from './countries'
import { Problem } from './Problem'
import { useWords } from './words'

const PATH = '/api/consultant/payout-account'
const KEY = ['payout']
const POLL_MS = 4_000
const NONE: string[] = []

/** Asked again until money can be received: what was told to Stripe in another tab shows here too. */
const usePayoutAccount = () => useQuery({ queryKey: KEY, queryFn: () => get<PayoutAccount>(PATH), refetchInterval: ({ state }) => (state.data?.can_receive ? false : POLL_MS) })

export function OpenAccount({ label, testId, variant }: { label: string; testId: string; variant?: ButtonProps['variant'] }) {
  const { t } = useWords()
  const queries = useQueryClient()
  const account = usePayoutAccount()
  const [chosen, setChosen] = useState<string | null>(null)
  const { country = null, stated_country: stated = null, countries = NONE } = account.data ?? {}
  const choices = useCountries(countries)
  const wanted = country ?? chosen ?? stated
  const go = useMutation({
    mutationFn: () => post<PayoutAccount>(PATH, { country: wanted }),
    onSuccess: ({ onboarding_url }) => {
      if (onboarding_url) window.location.assign(onboarding_url)
      else void queries.invalidateQueries({ queryKey: KEY })
    },
  })
  return (
    <div className="stack tight">
      {account.data && !country && (
        <Select searchable label={t('payouts.country')} description={t('payouts.country_hint')} placeholder={t('tax.country_choose')} allowDeselect={false} value={wanted} data={choices} onChange={setChosen} data-testid="payout-country-choice" />
      )}
      {go.data && !go.data.onboarding_url && <p role="status">{t('payouts.stripe_checks')}</p>}
      <Problem error={go.error ?? account.error} />
      <div>
        <Button variant={variant} disabled={!wanted} loading={go.isPending} onClick={() => go.mutate()} data-testid={testId}>
          {label}
        </Button>
      </div>
    </div>
  )
}
