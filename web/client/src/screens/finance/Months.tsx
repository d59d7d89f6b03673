// Owns the books by month: turnover per account and currency, the close, and the journal for the accountant.
import { Button } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { download, post } from '../../api/client'
import type { BookMonth } from '../../api/types'
import { Problem } from '../../parts/Problem'
import { say } from '../../parts/toast'
import { useWords } from '../../parts/words'
import { ConsolePage } from './Console'
import { Confirm, Found, Table } from './parts'
import { useAct, useMayAct, useMonths } from './queries'
import { plainCode } from '../../rules/codes'
import { useAccountName } from './wording'

/** What the server puts into ``figures`` (billing/reconciliation/months.py). */
interface Figures {
  accounts: Record<string, Record<string, number>>
  bookings: Record<string, number>
  open_cases: number
}

function Turnover({ figures }: { figures: Figures }) {
  const { t, money, coded } = useWords()
  const account = useAccountName()
  const currencies = Object.keys(figures.accounts)
  const accounts = [...new Set(currencies.flatMap((each) => Object.keys(figures.accounts[each] ?? {})))]
  if (!accounts.length) return <p>{t('finance.month.nothing')}</p>
  const columns = [{ name: t('finance.month.account') }, ...currencies.map((each) => ({ name: each.toUpperCase(), figure: true }))]
  const bookings = Object.entries(figures.bookings).map(([kind, count]) => `${coded('finance.booking', kind) ?? plainCode(kind)}: ${count}`)
  return (
    <>
      <Table label={t('finance.month.turnover')} columns={columns} fits>
        {accounts.map((name) => (
          <tr key={name}>
            <th scope="row">{account(name)}</th>
            {currencies.map((currency) => {
              const amount = figures.accounts[currency]?.[name]
              return (
                <td key={currency} className="right">
                  {amount === undefined ? '–' : money(amount, currency)}
                </td>
              )
            })}
          </tr>
        ))}
      </Table>
      <p className="small soft">{t('finance.month.sign')}</p>
      <p className="small">
        {t('finance.month.bookings')}: {bookings.join(', ')}
      </p>
    </>
  )
}

function One({ month }: { month: BookMonth }) {
  const { t, locale, date } = useWords()
  const mayAct = useMayAct()
  const figures = month.figures as unknown as Figures
  const name = new Intl.DateTimeFormat(locale, { month: 'long', year: 'numeric', timeZone: 'UTC' }).format(new Date(`${month.month}-01T00:00:00Z`))
  const over = month.month < new Date().toISOString().slice(0, 7)
  const journal = useMutation({ mutationFn: () => download(`/api/finance/journal.csv?month=${month.month}`, `journal-${month.month}.csv`) })
  const close = useAct(
    () => post<BookMonth>(`/api/finance/months/${month.month}/close`),
    () => say(t('finance.month.did_close', { month: name })),
  )
  return (
    <li className="panel stack tight" data-testid={`month-${month.month}`}>
      <h2>{name}</h2>
      <p className={month.closed_at ? 'note' : 'soft'}>
        {month.closed_at ? t('finance.month.closed', { at: date(month.closed_at) }) : t(over ? 'finance.month.open' : 'finance.month.runs')}
      </p>
      <Turnover figures={figures} />
      {figures.open_cases > 0 && <p className="note warn">{t('finance.month.cases', { count: figures.open_cases })}</p>}
      <Problem error={close.error ?? journal.error} />
      <div className="row">
        <Button variant="default" loading={journal.isPending} onClick={() => journal.mutate()} data-testid="journal">
          {t('finance.month.journal')}
        </Button>
        {mayAct && over && !month.closed_at && (
          <Confirm
            label={t('finance.month.close', { month: name })}
            question={t('finance.month.sure')}
            confirm={t('finance.month.close', { month: name })}
            act={() => close.mutate(undefined)}
            pending={close.isPending}
            testId="close-month"
          />
        )}
      </div>
    </li>
  )
}

export function Months() {
  const { t } = useWords()
  const found = useMonths()
  return (
    <ConsolePage title={t('finance.tab.months')} lead={t('finance.month.lead')}>
      <Found query={found}>
        {({ items }) => (
          <ul className="plain stack">
            {items.map((each) => (
              <One key={each.month} month={each} />
            ))}
          </ul>
        )}
      </Found>
    </ConsolePage>
  )
}
