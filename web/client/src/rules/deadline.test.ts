import { expect, test } from 'vitest'
import { timeLeft } from './deadline'

const HOUR = 3_600_000

test('days are whole days that are left', () => {
  expect(timeLeft(48 * HOUR, 0)).toEqual({ unit: 'days', count: 2 })
  expect(timeLeft(48 * HOUR - 1, 0)).toEqual({ unit: 'days', count: 1 })
})

test('the last day is told in hours, and the deadline itself is over', () => {
  expect(timeLeft(24 * HOUR - 1, 0)).toEqual({ unit: 'hours', count: 23 })
  expect(timeLeft(HOUR - 1, 0)).toEqual({ unit: 'hours', count: 0 })
  expect(timeLeft(5, 5)).toEqual({ unit: 'over', count: 0 })
})
