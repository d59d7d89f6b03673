import { describe, expect, it } from 'vitest'
import { holdsVideo, levelOf, settled, type Uplink } from './level'

const calm = { rtt_ms: 30, loss_permille: 0, jitter_ms: 3, freezes: 0 }
const fine: Uplink = { kbps: 1_500, loss_permille: 0 }
const starved: Uplink = { kbps: 40, loss_permille: 10 }
const lossy: Uplink = { kbps: 900, loss_permille: 250 }
const times = (n: number, one: Uplink) => Array.from({ length: n }, () => one)

describe('the level of a connection', () => {
  it.each([
    [{}, 'good'],
    [{ rtt_ms: null }, 'good'],
    [{ rtt_ms: 249, loss_permille: 29, jitter_ms: 39 }, 'good'],
    [{ loss_permille: 30 }, 'fair'],
    [{ rtt_ms: 250 }, 'fair'],
    [{ jitter_ms: 40 }, 'fair'],
    [{ loss_permille: 100 }, 'poor'],
    [{ rtt_ms: 500 }, 'poor'],
    [{ jitter_ms: 80 }, 'poor'],
    [{ freezes: 1 }, 'poor'],
  ])('%o is %s', (part, level) => {
    expect(levelOf({ ...calm, ...part })).toBe(level)
  })
  it('is shown when two samples agree', () => {
    expect(settled('good', 'good', 'poor')).toBe('good')
    expect(settled('good', 'poor', 'poor')).toBe('poor')
    expect(settled('poor', 'poor', 'good')).toBe('poor')
    expect(settled('poor', null, 'good')).toBe('poor')
  })
})

describe('sound before picture', () => {
  it('holds the picture back after six bad seconds', () => {
    expect(holdsVideo(false, times(2, starved))).toBe(false)
    expect(holdsVideo(false, times(3, starved))).toBe(true)
    expect(holdsVideo(false, times(3, lossy))).toBe(true)
    expect(holdsVideo(false, [...times(2, starved), fine])).toBe(false)
    expect(holdsVideo(false, times(9, fine))).toBe(false)
    expect(holdsVideo(false, times(9, { kbps: null, loss_permille: 0 }))).toBe(false)
  })
  it('lets it go after sixteen good ones, whatever the unused bandwidth', () => {
    expect(holdsVideo(true, times(7, starved))).toBe(true)
    expect(holdsVideo(true, times(8, starved))).toBe(false)
    expect(holdsVideo(true, [...times(7, fine), lossy])).toBe(true)
  })
})
