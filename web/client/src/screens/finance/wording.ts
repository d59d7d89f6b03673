// Owns how facts of the console become words: time until a deadline, accounts of the ledger, what a server's code means.
import { useWords } from '../../parts/words'
import { accountKind } from '../../rules/account'
import { MOMENT, plainCode, plainName } from '../../rules/codes'
import { timeLeft } from '../../rules/deadline'
import { decimalText } from '../../rules/money'

export function useTimeLeft() {
  const { t } = useWords()
  return (due: string) => {
    const { unit, count } = timeLeft(Date.parse(due), Date.now())
    return t(`finance.left.${unit}`, { count })
  }
}

/** A ledger account in plain words. */
export function useAccountName() {
  const { coded } = useWords()
  return (account: string) => coded('finance.account', accountKind(account)) ?? account
}

// Facts whose value is one of a few codes.
const VALUES = new Set(['policy', 'tax_mode', 'tax_reason', 'state'])

/** One fact by its name on the wire: amounts exact, in their currency where it is said; identifiers as they are. */
export function useFact() {
  const { t, money, clock, date, percent, coded } = useWords()
  const value = (name: string, given: unknown, currency?: string): string => {
    if (given === null || given === undefined || given === '') return '–'
    if (typeof given === 'boolean') return t(given ? 'common.yes' : 'common.no')
    if (typeof given === 'number' && /_minor(_per_hour)?$/.test(name)) return currency ? money(given, currency) : decimalText(given, 2)
    if (typeof given === 'number' && name.endsWith('_ms')) return clock(given)
    if (typeof given === 'number' && name.endsWith('_bps')) return percent(given)
    if (name === 'currency') return String(given).toUpperCase()
    if (typeof given === 'string' && MOMENT.test(given)) return date(given)
    if (name === 'reason') return coded('finance.reason', String(given)) ?? String(given)
    if (name === 'code') return coded('finance.failure', String(given)) ?? plainCode(String(given))
    if (name === 'kind') return coded('finance.case', String(given)) ?? coded('finance.value', `kind.${given}`) ?? plainCode(String(given))
    if (name === 'cause') return coded('cause', String(given)) ?? coded('unbilled', String(given)) ?? plainCode(String(given))
    if (VALUES.has(name)) return coded('finance.value', `${name}.${given}`) ?? plainCode(String(given))
    return typeof given === 'object' ? JSON.stringify(given) : String(given)
  }
  const named = (name: string) => coded('finance.detail', name) ?? plainName(name)
  return { named, value }
}

/** The figures of a case or an action; what is empty is left out. */
export function useDetails() {
  const { named, value } = useFact()
  return (details: Record<string, unknown>): [string, string][] => {
    const currency = typeof details.currency === 'string' ? details.currency : undefined
    return Object.entries(details)
      .filter(([, given]) => given !== null && given !== '')
      .map(([name, given]) => [named(name), value(name, given, currency)])
  }
}
