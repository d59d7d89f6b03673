import { expect, test } from 'vitest'
import { readViews, withView } from './views'

test('what was kept is read back', () => {
  const views = withView([], { name: 'Free', search: 'free=true' })
  expect(readViews(JSON.stringify(views))).toEqual(views)
})

test('a name is used once, and views stand in order', () => {
  const views = withView(withView([{ name: 'Free', search: 'free=true' }], { name: 'Big', search: 'min_minor=1' }), { name: 'Free', search: 'state=released' })
  expect(views).toEqual([{ name: 'Big', search: 'min_minor=1' }, { name: 'Free', search: 'state=released' }])
})

test('what cannot be read is left out', () => {
  expect(readViews(null)).toEqual([])
  expect(readViews('no json')).toEqual([])
  expect(readViews('{"name": "x"}')).toEqual([])
  expect(readViews('[{"name": "x"}, {"name": "y", "search": ""}]')).toEqual([{ name: 'y', search: '' }])
})
