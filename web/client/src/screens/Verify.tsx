// Owns the public check of a receipt: a file or its text in, every check in words out; nothing leaves the browser.
import { Button, Textarea } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { get } from '../api/client'
import type { KeysOut } from '../api/schema'
import { DropZone } from '../parts/DropZone'
import { Page } from '../parts/Page'
import { Verdict } from '../parts/pictures'
import { useWords } from '../parts/words'
import type { Json } from '../rules/receipt/canonical'
import type { Check, Finding, SignedReceipt } from '../rules/receipt/shape'
import { type Verification, verify } from '../rules/receipt/verify'

const LARGEST = 5_000_000

function Choose({ onText, onUnread }: { onText: (text: string) => void; onUnread: () => void }) {
  const { t } = useWords()
  const [text, setText] = useState('')
  function take([file]: File[]) {
    if (!file) return
    if (file.size > LARGEST) return onUnread()
    file.text().then(onText, onUnread)
  }
  function submit(event: FormEvent) {
    event.preventDefault()
    onText(text)
  }
  return (
    <div className="panel stack">
      <DropZone accept="application/json,.json" testId="verify-file" onFiles={take}>
        <strong>{t('verify.choose')}</strong>
        <span className="soft">{t('verify.drop')}</span>
      </DropZone>
      <details>
        <summary>{t('verify.paste')}</summary>
        <form onSubmit={submit} className="stack">
          <Textarea aria-label={t('verify.paste')} rows={6} value={text} onChange={(event) => setText(event.currentTarget.value)} data-testid="verify-text" />
          <div>
            <Button type="submit" disabled={!text.trim()} data-testid="verify-go">
              {t('verify.go')}
            </Button>
          </div>
        </form>
      </details>
    </div>
  )
}

function useFindingWords(currency: string) {
  const { t, money, coded } = useWords()
  const value = (given: Json | undefined, amount: boolean) => {
    if (given === null || given === undefined) return t('figure.nothing')
    if (amount && typeof given === 'number') return money(given, currency)
    return typeof given === 'object' ? JSON.stringify(given) : String(given)
  }
  return ({ code, place, said, found }: Finding) => {
    const [kind, field] = /^(line|interval)_(?!count$)(.+)$/.exec(code)?.slice(1) ?? [code, '']
    const key = kind === code ? code : field === 'amount_minor' ? 'line_amount' : `${kind}_field`
    const amount = code === 'sum_of_lines' || code.endsWith('_minor') || place.endsWith('_minor')
    const params = { place: coded('figure', place) ?? place, field: field ?? '', said: value(said, amount), found: value(found, amount) }
    return coded('found', key, params) ?? `${code}: ${place}`
  }
}

function Checks({ checks, currency }: { checks: Check[]; currency: string }) {
  const { coded } = useWords()
  const words = useFindingWords(currency)
  return (
    <ul className="checks" data-testid="checks">
      {checks.map(({ name, findings }) => (
        <li key={name} className={findings.length ? 'bad' : 'good'} data-check={name} data-good={!findings.length}>
          <Verdict good={!findings.length} />
          <div>
            {findings.length ? <strong>{coded('unproven', name)}</strong> : coded('proven', name)}
            {findings.length > 0 && (
              <ul>
                {findings.map((finding) => (
                  <li key={`${finding.code}${finding.place}${String(finding.found)}`} style={{ display: 'list-item' }}>
                    {words(finding)}
                  </li>
                ))}
              </ul>
            )}
          </div>
        </li>
      ))}
    </ul>
  )
}

/** Whether one of our published keys signed it; undefined while, or where, they cannot be asked for. */
function useOurs(receipt: SignedReceipt | null) {
  const keys = useQuery({ queryKey: ['receipt-keys'], queryFn: () => get<KeysOut>('/api/receipt-keys'), retry: false })
  return keys.data?.keys.some(({ x }) => x === receipt?.signature.public_key)
}

function Whose({ receipt, known }: { receipt: SignedReceipt; known: boolean | undefined }) {
  const { t, money } = useWords()
  const { public_key } = receipt.signature
  const whose = known === undefined ? 'verify.unknown_key' : known ? 'verify.ours' : 'verify.not_ours'
  const amount = receipt.role === 'consultant' ? (receipt.totals.share_minor ?? 0) : receipt.totals.gross_minor
  return (
    <section className="panel stack tight">
      <dl className="facts small">
        <dt>{t('receipt.reference')}</dt>
        <dd>{receipt.reference}</dd>
        <dt>{t('side.customer')}</dt>
        <dd>{receipt.parties.customer}</dd>
        <dt>{t('side.consultant')}</dt>
        <dd>{receipt.parties.consultant}</dd>
        <dt>{t('verify.amount')}</dt>
        <dd>{money(amount, receipt.price.currency)}</dd>
        <dt>{t('verify.key')}</dt>
        <dd>{public_key}</dd>
      </dl>
      <p className={known === false ? 'note warn' : 'soft small'} style={{ margin: 0 }} data-testid="verify-key">
        {t(whose)}
      </p>
    </section>
  )
}

function Result({ result: { checks, receipt } }: { result: Verification }) {
  const { t } = useWords()
  const known = useOurs(receipt)
  const count = checks.reduce((sum, { findings }) => sum + findings.length, 0)
  return (
    <div className="stack">
      <p className={count ? 'note bad' : known ? 'note' : 'note warn'} role="status" data-testid="verify-result" style={{ margin: 0 }}>
        <strong>{count ? t('verify.fails', { count }) : t(known ? 'verify.holds' : 'verify.consistent')}</strong>
      </p>
      <section className="panel">
        <Checks checks={checks} currency={receipt?.price.currency ?? 'eur'} />
      </section>
      {receipt && <Whose receipt={receipt} known={known} />}
    </div>
  )
}

export function Verify() {
  const { t } = useWords()
  const [unread, setUnread] = useState(false)
  const verification = useMutation({ mutationFn: verify, onMutate: () => setUnread(false) })
  return (
    <Page title={t('verify.title')}>
      <div className="stack">
        <p style={{ margin: 0 }}>{t('verify.lead')}</p>
        <Choose onText={verification.mutate} onUnread={() => setUnread(true)} />
        {unread && (
          <p className="note bad" role="alert">
            {t('verify.unread')}
          </p>
        )}
        {verification.data && <Result result={verification.data} />}
      </div>
    </Page>
  )
}
