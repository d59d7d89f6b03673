import { expect, test } from 'vitest'
import { nobodyFits } from './fitting'

const gardener = { concerns: [{ code: 'no_ratings', params: {} }, { code: 'nothing_in_common', params: {} }] }
const expert = { concerns: [{ code: 'no_ratings', params: {} }] }

test('a list of people who all have nothing in common with the question fits nobody', () => {
  expect(nobodyFits([gardener])).toBe(true)
  expect(nobodyFits([gardener, gardener])).toBe(true)
})

test('one who has is enough', () => {
  expect(nobodyFits([gardener, expert])).toBe(false)
})

test('nobody at all is another matter', () => {
  expect(nobodyFits([])).toBe(false)
})
