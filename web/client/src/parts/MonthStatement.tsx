// Owns the statement of one month: choosing the month and taking the file.
import { Button, Select } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { download, query } from '../api/client'
import { Problem } from './Problem'
import { useWords } from './words'

const SHOWN = 24

/** The latest months, this one first: `2026-11`. */
function monthsUpTo(now: Date): string[] {
  return Array.from({ length: SHOWN }, (_, back) => {
    const first = new Date(Date.UTC(now.getFullYear(), now.getMonth() - back, 1))
    return first.toISOString().slice(0, 7)
  })
}

export function MonthStatement() {
  const { t, locale } = useWords()
  const months = monthsUpTo(new Date())
  const [month, setMonth] = useState(months[0] ?? '')
  const named = new Intl.DateTimeFormat(locale, { month: 'long', year: 'numeric', timeZone: 'UTC' })
  const file = useMutation({
    mutationFn: (kind: 'pdf' | 'csv') => download(`/api/consultant/statement.${kind}${query({ month })}`, `statement-${month}.${kind}`),
  })
  return (
    <section className="panel stack" aria-labelledby="statement-title">
      <h2 id="statement-title" style={{ margin: 0 }}>
        {t('payouts.statement')}
      </h2>
      <p style={{ margin: 0 }}>{t('payouts.statement_text')}</p>
      <div className="row" style={{ alignItems: 'flex-end' }}>
        <Select label={t('payouts.month')} allowDeselect={false} value={month} data={months.map((value) => ({ value, label: named.format(new Date(`${value}-01T00:00:00Z`)) }))} onChange={(value) => value && setMonth(value)} data-testid="statement-month" />
        <Button loading={file.isPending && file.variables === 'pdf'} onClick={() => file.mutate('pdf')} data-testid="statement-pdf">
          {t('payouts.statement_pdf')}
        </Button>
        <Button variant="default" loading={file.isPending && file.variables === 'csv'} onClick={() => file.mutate('csv')} data-testid="statement">
          {t('payouts.statement_get')}
        </Button>
      </div>
      <Problem error={file.error} />
    </section>
  )
}
