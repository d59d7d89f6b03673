import { expect, test } from 'vitest'
import { toggled } from './comparison'

test('a second click takes somebody out again', () => {
  expect(toggled(['a', 'b'], 'a')).toEqual(['b'])
})

test('a fourth is not taken in', () => {
  expect(toggled(['a', 'b', 'c'], 'd')).toEqual(['a', 'b', 'c'])
  expect(toggled(['a', 'b'], 'd')).toEqual(['a', 'b', 'd'])
})
