// Owns narrowing a list of matches down: a language, a highest rate, a least rating; kept in the address.
import { Button, Select, TextInput } from '@mantine/core'
import { useState } from 'react'
import { useSearchParams } from 'react-router'
import { currencies } from '../api/types'
import { anyFilter, readFilters } from '../rules/filters'
import { minorDigits, parseAmount, typedAmount } from '../rules/money'
import { useWords } from './words'

const spoken = ['en', 'de', 'fr', 'es', 'it', 'nl', 'pl', 'pt', 'tr']
const leastStars = [3, 4, 5]
const MINUTES = 60

export function MatchFilters() {
  const { t, language, locale, number } = useWords()
  const [search, setSearch] = useSearchParams()
  const filters = readFilters(search)
  const [currency, setCurrency] = useState(filters.currency ?? 'eur')
  const [typed, setTyped] = useState(() =>
    filters.max_rate_minor_per_hour ? typedAmount(Math.round(filters.max_rate_minor_per_hour / MINUTES), currency, locale) : '',
  )
  const [wrong, setWrong] = useState(false)
  const digits = minorDigits(currency)
  const change = (part: Record<string, string | number | null>) =>
    setSearch(
      (old) => {
        for (const [name, value] of Object.entries(part)) {
          if (value === null) old.delete(name)
          else old.set(name, String(value))
        }
        return old
      },
      { replace: true },
    )
  function price(text: string, code: string) {
    const minor = parseAmount(text, code)
    setWrong(text.trim() !== '' && !minor)
    if (!text.trim()) change({ max_rate_minor_per_hour: null, currency: null })
    else if (minor) change({ max_rate_minor_per_hour: minor * MINUTES, currency: code })
  }
  return (
    <details className="panel" open={anyFilter(filters) || undefined} data-testid="filters">
      <summary>{t('matches.filters')}</summary>
      <div className="filters">
        <Select
          label={t('matches.filter.language')}
          placeholder={t('matches.filter.any')}
          clearable
          clearButtonProps={{ 'aria-label': t('matches.filter.any') }}
          value={filters.language ?? null}
          data={spoken.map((code) => ({ value: code, label: language(code) }))}
          onChange={(value) => change({ language: value })}
          data-testid="filter-language"
        />
        <TextInput
          label={t('matches.filter.price')}
          placeholder={t('matches.filter.any')}
          inputMode="decimal"
          value={typed}
          error={wrong ? t('matches.filter.price_bad', { example: number(125 / 10 ** digits, digits) }) : undefined}
          onChange={(event) => setTyped(event.currentTarget.value)}
          onBlur={() => price(typed, currency)}
          onKeyDown={(event) => event.key === 'Enter' && price(typed, currency)}
          data-testid="filter-price"
        />
        <Select
          label={t('matches.filter.currency')}
          allowDeselect={false}
          value={currency}
          data={currencies.map((value) => ({ value, label: value.toUpperCase() }))}
          onChange={(value) => {
            if (!value) return
            setCurrency(value)
            price(typed, value)
          }}
        />
        <Select
          label={t('matches.filter.stars')}
          placeholder={t('matches.filter.any')}
          clearable
          clearButtonProps={{ 'aria-label': t('matches.filter.any') }}
          value={filters.min_stars ? String(filters.min_stars) : null}
          data={leastStars.map((stars) => ({ value: String(stars), label: t('matches.filter.stars_at_least', { stars }) }))}
          onChange={(value) => change({ min_stars: value })}
          data-testid="filter-stars"
        />
      </div>
      {anyFilter(filters) && (
        <Button
          variant="subtle"
          onClick={() => {
            setTyped('')
            setWrong(false)
            change({ language: null, currency: null, max_rate_minor_per_hour: null, min_stars: null })
          }}
          data-testid="filter-clear"
        >
          {t('matches.filter.clear')}
        </Button>
      )}
    </details>
  )
}
