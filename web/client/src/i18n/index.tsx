// Owns the language of the page: typed keys, ICU messages, one catalogue per language that the compiler checks for gaps.
//
// Not Lingui: its macros need Babel or SWC, which Vite 8 (oxc) no longer runs, and its toolchain asks for a newer Node than ours.
import { IntlMessageFormat } from 'intl-messageformat'
import { createContext, type ReactNode, useContext, useEffect, useMemo, useState } from 'react'
import type { Locale } from '../api/types'
import { de } from './de'
import { en, type MessageKey } from './en'

export type { MessageKey }
export type Params = Record<string, string | number>
export type Translate = (key: MessageKey, params?: Params) => string

const catalogues: Record<Locale, Record<MessageKey, string>> = { en, de }
const parsed = new Map<string, IntlMessageFormat>()

export function translate(locale: Locale, key: MessageKey, params?: Params): string {
  const id = `${locale}:${key}`
  let message = parsed.get(id)
  if (!message) {
    message = new IntlMessageFormat(catalogues[locale][key], locale, undefined, { ignoreTag: true })
    parsed.set(id, message)
  }
  return message.format(params) as string
}

export const hasMessage = (key: string): key is MessageKey => key in en

/** The language with the reader's region, for times and dates: 24 hours unless theirs is another English. */
export function regional(locale: Locale): string {
  if (navigator.language.startsWith(`${locale}-`)) return navigator.language
  return locale === 'en' ? 'en-GB' : locale
}

interface Language {
  locale: Locale
  setLocale: (locale: Locale) => void
  t: Translate
}
const LanguageContext = createContext<Language | null>(null)

function firstLocale(): Locale {
  const kept = localStorage.getItem('locale')
  if (kept === 'en' || kept === 'de') return kept
  return navigator.language.startsWith('de') ? 'de' : 'en'
}

export function LanguageProvider({ children }: { children: ReactNode }) {
  const [locale, setLocale] = useState<Locale>(firstLocale)
  useEffect(() => {
    document.documentElement.lang = locale
    localStorage.setItem('locale', locale)
  }, [locale])
  const value = useMemo<Language>(
    () => ({ locale, setLocale, t: (key, params) => translate(locale, key, params) }),
    [locale],
  )
  return <LanguageContext.Provider value={value}>{children}</LanguageContext.Provider>
}

export function useLanguage(): Language {
  const value = useContext(LanguageContext)
  if (!value) throw new Error('LanguageProvider is missing')
  return value
}
