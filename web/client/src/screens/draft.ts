// Owns the question that is being written: kept in this browser until it is posted.
import type { Locale } from '../api/types'

export interface Draft {
  title: string
  details: string
  language: Locale
  tags: string[]
}
const KEY = 'question-draft'

export function readDraft(locale: Locale): Draft {
  const empty: Draft = { title: '', details: '', language: locale, tags: [] }
  try {
    return { ...empty, ...(JSON.parse(localStorage.getItem(KEY) ?? '{}') as Partial<Draft>) }
  } catch {
    return empty
  }
}
export const keepDraft = (draft: Draft) => localStorage.setItem(KEY, JSON.stringify(draft))
export const dropDraft = () => {
  localStorage.removeItem(KEY)
  files = []
}

// Files stay in memory only: they outlive the way through signing up, not a reload.
let files: File[] = []
export const readFiles = () => files
export const keepFiles = (chosen: File[]) => {
  files = chosen
}
