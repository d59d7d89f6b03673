import { expect, test } from 'vitest'
import { anyFilter, readFilters } from './filters'

const read = (text: string) => readFilters(new URLSearchParams(text))

test('what the address says is read', () => {
  expect(read('language=de&currency=eur&max_rate_minor_per_hour=9000&min_stars=4')).toEqual({
    language: 'de',
    currency: 'eur',
    max_rate_minor_per_hour: 9000,
    min_stars: 4,
  })
})

test('what makes no sense is left out, and a rate needs its currency', () => {
  expect(read('language=deutsch&max_rate_minor_per_hour=9000&min_stars=9')).toEqual({})
  expect(read('currency=eur&max_rate_minor_per_hour=-1')).toEqual({})
  expect(anyFilter(read('consultant=x'))).toBe(false)
})
