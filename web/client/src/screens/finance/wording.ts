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

/** A code without words of ours is still readable. */
export const plainCode = (code: string) => code.replaceAll(/[_.:]/g, ' ')

/** The figures of a case or an action: amounts exact, in their currency where it is said; identifiers as they are. */
export function useDetails() {
  const { money, coded } = useWords()
  return (details: Record<string, unknown>): [string, string][] => {
    const currency = typeof details.currency === 'string' ? details.currency : null
    const value = (name: string, given: unknown) => {
      if (typeof given === 'number' && name.endsWith('_minor')) return currency ? money(given, currency) : decimalText(given, 2)
      return typeof given === 'object' ? JSON.stringify(given) : String(given)
    }
    return Object.entries(details)
      .filter(([, given]) => given !== null && given !== '')
      .map(([name, given]) => [coded('finance.detail', name) ?? plainCode(name.replace(/_minor$/, '')), value(name, given)])
  }
}
