import { expect, test } from 'vitest'
import { accountKind } from './account'

test('an account is named by what it is for, not by whose it is', () => {
  expect(accountKind('customer:018f-11:receivable')).toBe('receivable')
  expect(accountKind('consultant:018f-12:payable')).toBe('payable')
  expect(accountKind('connected:018f-12:balance')).toBe('connected_balance')
  expect(accountKind('stripe:clearing')).toBe('stripe_clearing')
})

test('the short names of a month are the same accounts', () => {
  expect(accountKind('receivable')).toBe('receivable')
  expect(accountKind('connected balance')).toBe('connected_balance')
  expect(accountKind('platform:commission')).toBe('platform_commission')
})
