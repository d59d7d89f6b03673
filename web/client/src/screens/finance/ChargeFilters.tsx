// Owns the filters of the charges: each is a part of the address, so that a view can be sent to a colleague.
import { Button, Select, TextInput } from '@mantine/core'
import { useCallback, useState } from 'react'
import { currencies } from '../../api/types'
import { useTyped } from '../../parts/typed'
import { useWords } from '../../parts/words'
import { parseAmount, typedAmount } from '../../rules/money'

export const filterNames = ['state', 'currency', 'from', 'to', 'q', 'min_minor', 'free', 'capture_failed', 'min_connected_ms'] as const
/** What finance looks for most, each one button. */
const presets = [
  ['free', 'true', 'finance.free'],
  ['capture_failed', 'true', 'finance.capture_failed'],
  ['min_connected_ms', '3600000', 'finance.over_an_hour'],
] as const
const states = ['open', 'holding', 'awaiting_customer', 'metering', 'reviewing', 'settling', 'captured', 'released', 'uncollectable', 'abandoned']

export function ChargeFilters({ filters, change }: { filters: Record<string, string>; change: (part: Record<string, string>) => void }) {
  const { t, locale, coded } = useWords()
  const [reference, setReference] = useTyped(
    filters.q ?? '',
    useCallback((q) => change({ q }), [change]),
  )
  const currency = filters.currency ?? 'eur'
  const [minimum, setMinimum] = useState(filters.min_minor ? typedAmount(Number(filters.min_minor), currency, locale) : '')
  /** What was typed, in the units of the currency that is looked at; nothing to change while it is not an amount. */
  function atLeast(text: string, code: string): Record<string, string> {
    const minor = parseAmount(text, code)
    return minor !== null || !text ? { min_minor: minor === null ? '' : String(minor) } : {}
  }
  const clear = { 'aria-label': t('finance.clear') }
  return (
    <form className="panel row" style={{ alignItems: 'flex-end' }} role="search" aria-label={t('finance.filters')} onSubmit={(e) => e.preventDefault()}>
      <TextInput label={t('receipt.reference')} value={reference} onChange={(e) => setReference(e.currentTarget.value)} data-testid="filter-q" />
      <Select
        clearable
        clearButtonProps={clear}
        label={t('finance.state')}
        value={filters.state ?? null}
        data={states.map((value) => ({ value, label: coded('charge', value) ?? value }))}
        onChange={(value) => change({ state: value ?? '' })}
        data-testid="filter-state"
      />
      <Select
        clearable
        clearButtonProps={clear}
        label={t('profile.currency')}
        value={filters.currency ?? null}
        data={currencies.map((value) => ({ value, label: value.toUpperCase() }))}
        onChange={(value) => change({ currency: value ?? '', ...atLeast(minimum, value ?? 'eur') })}
      />
      <TextInput type="date" label={t('finance.from')} value={filters.from ?? ''} onChange={(e) => change({ from: e.currentTarget.value })} data-testid="filter-from" />
      <TextInput type="date" label={t('finance.to')} value={filters.to ?? ''} onChange={(e) => change({ to: e.currentTarget.value })} data-testid="filter-to" />
      <TextInput
        inputMode="decimal"
        label={t('finance.min')}
        value={minimum}
        onChange={(e) => {
          setMinimum(e.currentTarget.value)
          change(atLeast(e.currentTarget.value, currency))
        }}
      />
      {presets.map(([name, value, words]) => {
        const on = filters[name] === value
        return (
          <Button key={name} variant={on ? 'filled' : 'default'} aria-pressed={on} onClick={() => change({ [name]: on ? '' : value })} data-testid={`filter-${name}`}>
            {t(words)}
          </Button>
        )
      })}
    </form>
  )
}
