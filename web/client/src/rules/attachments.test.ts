import { expect, test } from 'vitest'
import { complaintAbout, MOST_BYTES, typeOf } from './attachments'

const png = { name: 'shot.png', type: 'image/png', size: 100 }

test('what may be attached passes', () => {
  expect(complaintAbout(png, 0)).toBeNull()
  expect(complaintAbout({ ...png, size: MOST_BYTES }, 2)).toBeNull()
})

test('each limit has its complaint', () => {
  expect(complaintAbout(png, 3)).toBe('many')
  expect(complaintAbout({ ...png, size: MOST_BYTES + 1 }, 0)).toBe('large')
  expect(complaintAbout({ ...png, size: 0 }, 0)).toBe('empty')
  expect(complaintAbout({ ...png, type: 'image/svg+xml' }, 0)).toBe('type')
})

test('a log is plain text, a page is nothing we take', () => {
  expect(typeOf({ name: 'server.LOG', type: '' })).toBe('text/plain')
  expect(typeOf({ name: 'notes.md', type: 'text/markdown' })).toBe('text/plain')
  expect(typeOf({ name: 'page.html', type: 'text/html' })).toBeNull()
})
