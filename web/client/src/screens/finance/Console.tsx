// Owns the frame of the finance console: its tabs as links, with what waits, and the head of each screen.
import { type ReactNode, useEffect, useRef } from 'react'
import { NavLink } from 'react-router'
import { Page } from '../../parts/Page'
import { useWords } from '../../parts/words'
import { useApprovals, useMayAct } from './queries'

const tabs = [
  ['/finance', 'overview'],
  ['/finance/charges', 'charges'],
  ['/finance/invoices', 'invoices'],
  ['/finance/approvals', 'approvals'],
  ['/finance/problems', 'problems'],
  ['/finance/disputes', 'disputes'],
  ['/finance/payouts', 'payouts'],
  ['/finance/accounts', 'accounts'],
  ['/finance/reconciliation', 'reconciliation'],
  ['/finance/months', 'months'],
  ['/finance/audit', 'audit'],
] as const

function Tabs() {
  const { t } = useWords()
  const waiting = useApprovals().data?.items.length ?? 0
  const tabsLine = useRef<HTMLElement>(null)
  useEffect(() => {
    const line = tabsLine.current
    const here = line?.querySelector<HTMLElement>('[aria-current=page]')
    if (line && here) line.scrollLeft = here.offsetLeft - line.clientWidth / 2 // on a phone the line is longer than the screen
  }, [])
  return (
    <nav ref={tabsLine} className="console" aria-label={t('finance.console')}>
      {tabs.map(([to, name]) => (
        <NavLink key={to} to={to} end={to === '/finance'} className="nav">
          {t(`finance.tab.${name}`)}
          {name === 'approvals' && waiting > 0 && (
            <span className="badge">
              {waiting}
              <span className="hidden"> {t('finance.waiting')}</span>
            </span>
          )}
        </NavLink>
      ))}
    </nav>
  )
}

export function ConsolePage({ title, lead, children }: { title: string; lead?: string; children: ReactNode }) {
  const { t } = useWords()
  const mayAct = useMayAct()
  return (
    <>
      <Tabs />
      <Page title={title}>
        {lead && <p className="soft">{lead}</p>}
        {!mayAct && <p className="note">{t('finance.read_only')}</p>}
        <div className="stack">{children}</div>
      </Page>
    </>
  )
}
