import { expect, test } from 'vitest'
import { decimalText, formatClock, formatLeft, formatMoney, formatPerMinute, parseAmount, typedAmount } from './money'

test('whole minor units are written exactly', () => {
  expect(decimalText(5, 2)).toBe('0.05')
  expect(decimalText(-1234, 2)).toBe('-12.34')
  expect(formatMoney(1650, 'EUR', 'en')).toBe('€16.50')
  expect(formatMoney(1650, 'JPY', 'en')).toBe('¥1,650')
  expect(formatMoney(1650, 'EUR', 'de').replace(/\s/u, ' ')).toBe('16,50 €')
  expect(formatMoney(1650, 'JPY', 'de').replace(/\s/u, ' ')).toBe('1.650 ¥')
})

test('an amount stands in a field as the language writes it, and can be read again', () => {
  expect(typedAmount(123_450, 'EUR', 'de')).toBe('1234,50')
  expect(typedAmount(9_000, 'EUR', 'en')).toBe('90.00')
  expect(typedAmount(500, 'JPY', 'de')).toBe('500')
  expect(parseAmount(typedAmount(123_450, 'EUR', 'de'), 'EUR')).toBe(123_450)
})

test('a rate per hour is shown per minute with the digits it needs', () => {
  expect(formatPerMinute(9000, 'EUR', 'en')).toBe('€1.50')
  expect(formatPerMinute(7650, 'EUR', 'en')).toBe('€1.275')
  expect(formatPerMinute(12_000, 'JPY', 'en')).toBe('¥200')
  expect(formatPerMinute(12_345, 'JPY', 'de').replace(/\s/u, ' ')).toBe('205,75 ¥')
})

test('a running clock never shows a second that is not over', () => {
  expect(formatClock(599_999)).toBe('9:59')
  expect(formatClock(3_723_000)).toBe('1:02:03')
  expect(formatLeft(1)).toBe('0:01')
})

test('typed amounts become whole minor units or nothing', () => {
  expect(parseAmount('1.5', 'EUR')).toBe(150)
  expect(parseAmount('1,50', 'EUR')).toBe(150)
  expect(parseAmount('1.505', 'EUR')).toBe(null)
  expect(parseAmount('a lot', 'EUR')).toBe(null)
  expect(parseAmount('1500', 'JPY')).toBe(1500)
  expect(parseAmount('1500.5', 'JPY')).toBe(null)
  expect(parseAmount('1,500', 'JPY')).toBe(null) // thousands, or a fraction: whichever, it is not guessed
})
