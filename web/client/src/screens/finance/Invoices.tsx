// Owns the list of invoices and credit notes: found by number, person, reference or day, each leading to its charge.
import { Button, TextInput } from '@mantine/core'
import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query'
import { useCallback } from 'react'
import { Link, useSearchParams } from 'react-router'
import { get, query } from '../../api/client'
import type { Invoices as Page } from '../../api/types'
import { useTyped } from '../../parts/typed'
import { useWords } from '../../parts/words'
import { ConsolePage } from './Console'
import { Found, Table } from './parts'

const KIND = { invoice: 'receipt.invoice', credit_note: 'finance.invoice.credit_note', credit: 'finance.invoice.credit' } as const

export function Invoices() {
  const { t, money, date } = useWords()
  const [address, setAddress] = useSearchParams()
  const wanted = { q: address.get('q') ?? '', from: address.get('from') ?? '', to: address.get('to') ?? '' }
  const change = useCallback(
    (name: 'q' | 'from' | 'to', value: string) =>
      setAddress(
        (old) => {
          const next = new URLSearchParams(old)
          if (value) next.set(name, value)
          else next.delete(name)
          return next
        },
        { replace: true },
      ),
    [setAddress],
  )
  const [said, setSaid] = useTyped(
    wanted.q,
    useCallback((q) => change('q', q), [change]),
  )
  const found = useInfiniteQuery({
    queryKey: ['finance', 'invoices', wanted],
    queryFn: ({ pageParam }) => get<Page>(`/api/finance/invoices${query({ ...wanted, cursor: pageParam })}`),
    initialPageParam: '',
    getNextPageParam: (page) => page.next_cursor,
    placeholderData: keepPreviousData,
  })
  const columns = [
    { name: t('finance.invoice.number') },
    { name: t('finance.kind') },
    { name: t('finance.at') },
    { name: t('finance.customer') },
    { name: t('finance.consultant') },
    { name: t('receipt.amount'), figure: true },
    { name: t('finance.invoice.vat'), figure: true },
    { name: t('finance.charge') },
  ]
  return (
    <ConsolePage title={t('finance.tab.invoices')} lead={t('finance.invoice.lead')}>
      <form className="panel row" style={{ alignItems: 'flex-end' }} role="search" aria-label={t('finance.filters')} onSubmit={(e) => e.preventDefault()}>
        <TextInput label={t('finance.invoice.search')} value={said} maxLength={60} onChange={(e) => setSaid(e.currentTarget.value)} data-testid="invoice-q" />
        <TextInput type="date" label={t('finance.from')} value={wanted.from} onChange={(e) => change('from', e.currentTarget.value)} />
        <TextInput type="date" label={t('finance.to')} value={wanted.to} onChange={(e) => change('to', e.currentTarget.value)} />
      </form>
      <Found query={found}>
        {({ pages }) => (
          <div className="panel stack">
            {pages[0]?.items.length ? (
              <Table label={t('finance.tab.invoices')} columns={columns}>
                {pages.flatMap(({ items }) => items).map((each) => (
                  <tr key={each.number} data-testid="invoice-row">
                    <td className="numbers">{each.number}</td>
                    <td>{t(KIND[each.kind])}</td>
                    <td>{date(each.issued_at)}</td>
                    <td>{each.customer_name}</td>
                    <td>{each.consultant_name}</td>
                    <td className="right">{money(each.kind === 'invoice' ? each.gross_minor : -each.gross_minor, each.currency)}</td>
                    <td className="right">{money(each.kind === 'invoice' ? each.vat_minor : -each.vat_minor, each.currency)}</td>
                    <td>
                      <Link className="row-link" to={`/finance/charges/${each.charge_id}`}>
                        {each.reference}
                      </Link>
                    </td>
                  </tr>
                ))}
              </Table>
            ) : (
              <p style={{ margin: 0 }}>{t('finance.invoice.none')}</p>
            )}
            {found.hasNextPage && (
              <div>
                <Button variant="default" loading={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>
                  {t('common.more')}
                </Button>
              </div>
            )}
          </div>
        )}
      </Found>
    </ConsolePage>
  )
}
