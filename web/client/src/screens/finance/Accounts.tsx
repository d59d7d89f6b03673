// Owns the consultants' accounts: what lies there, when it is paid out, what is missing, and who is held and why.
import type { PayoutAccountRow, Schedule } from '../../api/types'
import { useCountryName } from '../../parts/countries'
import { useWords } from '../../parts/words'
import { ConsolePage } from './Console'
import { AccountHold } from './AccountHold'
import { FactPairs, Found } from './parts'
import { useAccounts } from './queries'
import { plainCode } from '../../rules/codes'
import { comparisonOf } from '../../rules/hold'

function useScheduleWords() {
  const { t, locale } = useWords()
  const weekdays = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday']
  return ({ interval, weekly_anchor, monthly_anchor, delay_days }: Schedule) => {
    const n = weekdays.indexOf(weekly_anchor ?? '')
    // 5 January 1970 was a Monday.
    const day = n < 0 ? '' : new Intl.DateTimeFormat(locale, { weekday: 'long', timeZone: 'UTC' }).format(Date.UTC(1970, 0, 5 + n))
    const when = t(`finance.schedule.${interval}`, { day, number: monthly_anchor ?? 1 })
    return delay_days === null || interval === 'manual' ? when : `${when}, ${t('finance.schedule.delay', { count: delay_days })}`
  }
}

function Balances({ account }: { account: PayoutAccountRow }) {
  const { t, money } = useWords()
  if (!account.balances.length) return <>{t('finance.accounts.empty')}</>
  return (
    <>
      {account.balances.map((each) => (
        <div key={each.currency} className={each.amount_minor < 0 ? 'bad-ink' : undefined}>
          {money(each.amount_minor, each.currency)}
          {each.amount_minor < 0 && <span className="small"> · {t('finance.accounts.carried')}</span>}
        </div>
      ))}
    </>
  )
}

function One({ account }: { account: PayoutAccountRow }) {
  const { t, date, coded } = useWords()
  const words = useScheduleWords()
  const country = useCountryName()
  const due = account.requirements_due
  const reason = account.held_reason ?? ''
  const found = comparisonOf(reason)
  return (
    <li className="panel stack tight" data-testid="account">
      <h2>{account.consultant_name || account.consultant_id}</h2>
      {account.held_at && (
        <p className="note warn">{t('finance.accounts.held', { at: date(account.held_at), reason: found ? (coded('finance.case', found) ?? plainCode(found)) : reason })}</p>
      )}
      {account.release_asked && <p className="note">{t('finance.accounts.release_asked')}</p>}
      <FactPairs
        pairs={[
          [t('finance.accounts.balance'), <Balances key="balance" account={account} />],
          [t('finance.accounts.schedule'), account.schedule ? words(account.schedule) : t('finance.accounts.not_told')],
          [t('finance.accounts.wanted'), words(account.wanted_schedule)],
          [t('finance.accounts.can_receive'), t(account.can_receive ? 'common.yes' : 'common.no')],
          [t('finance.accounts.payouts_enabled'), t(account.payouts_enabled ? 'common.yes' : 'common.no')],
          [t('finance.accounts.requirements'), due.length ? due.map((each) => coded('finance.requirement', each.replaceAll('.', '_')) ?? plainCode(each)).join(', ') : t('finance.accounts.nothing_due')],
          ...(account.disabled_reason ? ([[t('finance.accounts.disabled'), coded('finance.disabled', account.disabled_reason.replaceAll('.', '_')) ?? plainCode(account.disabled_reason)]] satisfies [string, string][]) : []),
          [t('finance.accounts.country'), account.country ? country(account.country) : '–'],
          [t('finance.accounts.number'), account.account_id ?? '–'],
        ]}
      />
      <AccountHold account={account} />
    </li>
  )
}

export function Accounts() {
  const { t } = useWords()
  const found = useAccounts()
  return (
    <ConsolePage title={t('finance.tab.accounts')} lead={t('finance.accounts.lead')}>
      <Found query={found}>
        {({ items }) =>
          items.length ? (
            <ul className="plain stack">
              {items.map((each) => (
                <One key={each.consultant_id} account={each} />
              ))}
            </ul>
          ) : (
            <p className="panel">{t('finance.accounts.none')}</p>
          )
        }
      </Found>
    </ConsolePage>
  )
}
