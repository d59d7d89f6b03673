import { expect, test } from 'vitest'
import { topicsOf } from './requirements'

test('what Stripe wants to know is named once each, in a fixed order', () => {
  expect(topicsOf(['individual.dob.day', 'individual.dob.month', 'external_account', 'individual.verification.document'])).toEqual(['bank', 'document', 'birth'])
  expect(topicsOf(['business_profile.url', 'individual.first_name', 'individual.id_number'])).toEqual(['tax', 'name', 'business'])
})

test('what has no words here is still asked for', () => {
  expect(topicsOf(['something.quite_new'])).toEqual(['other'])
  expect(topicsOf([])).toEqual([])
})
