// Owns the names of countries in the reader's language.
import { useMemo } from 'react'
import { useWords } from './words'

function namesIn(locale: string) {
  const names = new Intl.DisplayNames(locale, { type: 'region' })
  return (code: string) => names.of(code) ?? code
}

export function useCountryName() {
  const { locale } = useWords()
  return useMemo(() => namesIn(locale), [locale])
}

/** Countries to choose from, in the order of their names. */
export function useCountries(codes: string[]) {
  const { locale } = useWords()
  return useMemo(() => {
    const name = namesIn(locale)
    return codes.map((value) => ({ value, label: name(value) })).toSorted((one, other) => one.label.localeCompare(other.label, locale))
  }, [codes, locale])
}
