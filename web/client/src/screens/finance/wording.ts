// Owns how facts of the console become words: time until a deadline, accounts of the ledger, what a server's code means.
import { useWords } from '../../parts/words'
import { accountKind } from '../../rules/account'
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

const MOMENT = /^\d{4}-\d\d-\d\dT/

/** A code without words of ours is still readable. */
export const plainCode = (code: string) => code.replaceAll(/[_.:]/g, ' ')

/** The figures of a case or an action: amounts exact, in their currency where it is said; identifiers as they are. */
export function useDetails() {
  const { money, date, coded } = useWords()
  return (details: Record<string, unknown>): [string, string][] => {
    const currency = typeof details.currency === 'string' ? details.currency : null
    const value = (name: string, given: unknown) => {
      if (typeof given === 'number' && name.endsWith('_minor')) return currency ? money(given, currency) : decimalText(given, 2)
      if (typeof given === 'string' && MOMENT.test(given)) return date(given)
      if (name === 'reason' || name === 'code') return coded(name === 'code' ? 'finance.failure' : 'finance.reason', String(given)) ?? String(given)
      if (name === 'kind') return coded('finance.case', String(given)) ?? plainCode(String(given))
      return typeof given === 'object' ? JSON.stringify(given) : String(given)
    }
    return Object.entries(details)
      .filter(([, given]) => given !== null && given !== '')
      .map(([name, given]) => [coded('finance.detail', name) ?? plainCode(name.replace(/_minor$/, '')), value(name, given)])
  }
}
