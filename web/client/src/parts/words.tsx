// Owns how facts become words in the reader's language: money, times, reasons, errors.
import { useMemo } from 'react'
import { ApiError } from '../api/session'
import type { Reason } from '../api/types'
import { hasMessage, regional, useLanguage } from '../i18n'
import { formatClock, formatMoney, formatPerMinute } from '../rules/money'
import { useSession } from '../socket/live'

/** What a sentence about an error may name. */
const figures = (details: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(details).filter((each): each is [string, string | number] => typeof each[1] === 'string' || typeof each[1] === 'number'))

export function useWords() {
  const { t, locale } = useLanguage()
  const zone = useSession().account?.time_zone
  return useMemo(() => {
    const format = (options: Intl.DateTimeFormatOptions) => {
      try {
        return new Intl.DateTimeFormat(regional(locale), { ...options, timeZone: zone || undefined })
      } catch {
        return new Intl.DateTimeFormat(regional(locale), options) // a zone this browser does not know
      }
    }
    const clock = format({ hour: '2-digit', minute: '2-digit', second: '2-digit' })
    const moment = format({ dateStyle: 'medium', timeStyle: 'short' })
    const day = format({ dateStyle: 'short' })
    const languages = new Intl.DisplayNames(locale, { type: 'language' })
    const hundredths = new Intl.NumberFormat(locale, { minimumFractionDigits: 2, maximumFractionDigits: 2 })
    const language = (code: string) => {
      try {
        return languages.of(code) ?? code
      } catch {
        return code
      }
    }
    const money = (minor: number, currency: string) => formatMoney(minor, currency, locale)
    const perMinute = (minorPerHour: number, currency: string) => formatPerMinute(minorPerHour, currency, locale)
    const coded = (prefix: string, code: string, params?: Record<string, string | number>) => {
      const key = `${prefix}.${code}`
      return hasMessage(key) ? t(key, params) : null
    }
    return {
      t,
      locale,
      money,
      perMinute,
      language,
      coded,
      clock: formatClock,
      time: (iso: string | number) => clock.format(new Date(iso)),
      day: (iso: string) => day.format(new Date(iso)),
      date: (iso: string) => moment.format(new Date(iso)),
      percent: (bps: number) => new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 1 }).format(bps / 10_000),
      number: (value: number, digits = 1) => new Intl.NumberFormat(locale, { maximumFractionDigits: digits }).format(value),
      points: (centi: number | null) => hundredths.format((centi ?? 0) / 100),
      reason: ({ code, params }: Reason, family: 'reason' | 'concern' | 'obstacle' = 'reason') => {
        const plain: Record<string, string | number> = Object.fromEntries(
          Object.entries(params).map(([name, value]) => [name, typeof value === 'number' ? value : String(value)]),
        )
        if (typeof plain.language === 'string') plain.language = language(plain.language)
        if (typeof plain.stars === 'number') plain.stars = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 }).format(plain.stars)
        if (typeof plain.max_rate_minor_per_hour === 'number' && typeof plain.currency === 'string') {
          plain.rate = perMinute(plain.max_rate_minor_per_hour, plain.currency)
        }
        if (typeof plain.rate_minor_per_hour === 'number' && typeof plain.currency === 'string') {
          plain.own = perMinute(plain.rate_minor_per_hour, plain.currency)
        }
        for (const name of ['currency', 'wanted']) plain[name] = String(plain[name] ?? '').toUpperCase()
        const said = family === 'reason' ? coded('reason', code, plain) : family === 'concern' ? coded('concern', code, plain) : coded('obstacle', code, plain)
        return said ?? code.replaceAll('_', ' ')
      },
      problem: (error: unknown) => {
        if (!(error instanceof ApiError)) return t('error.error')
        if (error.code === 'too_many_requests') {
          return t('error.too_many_requests', { seconds: Number(error.details.retry_after_s ?? 60) })
        }
        return coded('error', error.code, figures(error.details)) ?? (error.message || t('error.error'))
      },
    }
  }, [t, locale, zone])
}
