import { describe, expect, it } from 'vitest'
import { verdict } from './network'

const good = { lossPercent: 0, rttMs: 40, jitterMs: 5 }

describe('what a network test means', () => {
  it('takes the direct way where there is one', () => {
    expect(verdict({ direct: good, relay: good })).toMatchObject({ word: 'good', by: 'direct' })
    expect(verdict({ direct: good, relay: null })).toMatchObject({ word: 'good', by: 'direct' })
    expect(verdict({ direct: good, relay: undefined })).toMatchObject({ word: 'good', by: 'direct' })
  })
  it('takes the relay where nothing else passes', () => {
    expect(verdict({ direct: null, relay: good })).toMatchObject({ word: 'good', by: 'relay' })
  })
  it.each([{ lossPercent: 3 }, { rttMs: 250 }, { jitterMs: 40 }])('is weak at %o', (part) => {
    expect(verdict({ direct: { ...good, ...part }, relay: good })).toMatchObject({ word: 'weak', by: 'direct' })
  })
  it('is blocked when no way works', () => {
    expect(verdict({ direct: null, relay: null })).toMatchObject({ word: 'blocked', by: null })
    expect(verdict({ direct: null, relay: undefined })).toMatchObject({ word: 'blocked', by: null })
  })
})
