// Owns what a list of matches is narrowed down to; it lives in the address, so that a reload and the next screen keep it.
export interface Filters {
  language?: string
  currency?: string
  max_rate_minor_per_hour?: number
  min_stars?: number
}
const whole = (text: string | null) => (text && /^\d{1,6}$/.test(text) && Number(text) > 0 ? Number(text) : undefined)

export function readFilters(search: URLSearchParams): Filters {
  const language = search.get('language') ?? ''
  const currency = search.get('currency') ?? ''
  const rate = whole(search.get('max_rate_minor_per_hour'))
  const stars = whole(search.get('min_stars'))
  return {
    ...(/^[a-z]{2}$/.test(language) && { language }),
    ...(/^[a-z]{3}$/.test(currency) && rate && { currency, max_rate_minor_per_hour: rate }),
    ...(stars && stars <= 5 && { min_stars: stars }),
  }
}

export const anyFilter = (filters: Filters) => Object.keys(filters).length > 0
