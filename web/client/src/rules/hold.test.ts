import { expect, test } from 'vitest'
import * as german from '../i18n/finance/de'
import * as english from '../i18n/finance/en'
import { comparisonOf } from './hold'

test('what a comparison found is told from what a person said', () => {
  expect(comparisonOf('reconciliation: net_differs')).toBe('net_differs')
  expect(comparisonOf('The bank asks who this is')).toBeNull()
  expect(comparisonOf('reconciliation: of our own, see the mail')).toBeNull()
})

test('every difference that holds an account has words for finance in both languages', () => {
  // As billing/reconciliation/expect.py names them.
  const kinds = ['unknown_line', 'amount_differs', 'fee_differs', 'currency_differs', 'net_differs', 'not_booked', 'missing_at_provider', 'vanished_at_provider', 'balance_differs', 'books_differ_from_lines']
  for (const messages of [...Object.values(english), ...Object.values(german)]) {
    for (const kind of kinds) expect(messages, kind).toHaveProperty([`finance.case.${kind}`])
  }
})
