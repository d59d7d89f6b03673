// Owns the proof of one charge: timeline, price snapshot and consent, postings, what the provider holds, the sum done again.
import { useQuery } from '@tanstack/react-query'
import { Link, useParams } from 'react-router'
import { get } from '../api/client'
import type { QualityOut } from '../api/schema'
import type { ChargeDetail, Facts } from '../api/types'
import { Problem } from '../parts/Problem'
import { QualityPicture } from '../parts/Quality'
import { TimelineList, TimelinePicture } from '../parts/Timeline'
import { useWords } from '../parts/words'
import { AdjustPanel } from './finance/AdjustPanel'
import { AfterCapture } from './finance/AfterCapture'
import { ConsolePage } from './finance/Console'
import { FactPairs, Found, Table } from './finance/parts'
import { useCharge, useMayAct } from './finance/queries'
import { Recomputed } from './finance/Recomputed'
import { RefundPanel } from './finance/RefundPanel'
import { plainCode } from '../rules/codes'
import { useAccountName, useFact } from './finance/wording'

function Pair({ name, value }: { name: string; value: string }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </>
  )
}

function FactTable({ rows, label, currency }: { rows: Facts[]; label: string; currency: string }) {
  const { named, value } = useFact()
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))]
  if (!rows.length) return <p className="soft">–</p>
  return (
    <Table label={label} columns={columns.map((name) => ({ name: named(name) }))}>
      {rows.map((row) => (
        <tr key={String(row.key ?? row.n)}>
          {columns.map((name) => (
            <td key={name}>{value(name, row[name], currency)}</td>
          ))}
        </tr>
      ))}
    </Table>
  )
}

/** The drawn spans: every interval in which both sides were seen. */
function spansOf(intervals: Facts[]): { from: number; to: number }[] {
  return intervals.flatMap((each) => {
    const from = Date.parse(String(each.started_at ?? ''))
    const ms = Number(each.duration_ms ?? 0)
    return Number.isFinite(from) ? [{ from, to: from + ms }] : []
  })
}

function Detail({ detail }: { detail: ChargeDetail }) {
  const { t, money, clock, time, coded } = useWords()
  const account = useAccountName()
  const mayAct = useMayAct()
  const { named, value } = useFact()
  const { row } = detail
  const columns = [{ name: t('receipt.when') }, { name: t('finance.kind') }, { name: t('finance.source') }, { name: t('finance.destination') }, { name: t('receipt.amount'), figure: true }]
  return (
    <div className="stack">
      <Recomputed detail={detail} />
      <section className="panel">
        <dl className="facts">
          <Pair name={t('finance.state')} value={coded('charge', row.state) ?? row.state} />
          <Pair name={t('finance.customer')} value={row.customer_name} />
          <Pair name={t('finance.consultant')} value={row.consultant_name} />
          <Pair name={t('finance.connected')} value={clock(row.connected_ms)} />
          <Pair name={t('finance.billed')} value={clock(row.billed_ms)} />
          <Pair name={t('finance.gross')} value={money(row.gross_minor, row.currency)} />
          <Pair name={t('finance.commission')} value={money(row.commission_minor, row.currency)} />
          <Pair name={t('finance.net')} value={money(row.net_minor, row.currency)} />
          <Pair name={t('finance.refunded')} value={money(row.refunded_minor, row.currency)} />
          <Pair name={t('finance.credited')} value={money(row.credited_minor, row.currency)} />
        </dl>
      </section>
      <AfterCapture detail={detail} />
      {mayAct && <RefundPanel row={row} />}
      <AdjustPanel detail={detail} mayAct={mayAct} />
      <section className="panel">
        <h2>{t('receipt.timeline')}</h2>
        <TimelinePicture items={detail.timeline} spans={spansOf(detail.intervals)} />
        <TimelineList items={detail.timeline} currency={row.currency} forFinance />
      </section>
      <Quality chargeId={row.charge_id} />
      <section className="panel">
        <h2>{t('finance.snapshot')}</h2>
        <FactPairs pairs={Object.entries(detail.snapshot).map(([name, given]) => [named(name), value(name, given, row.currency)])} />
      </section>
      <section className="panel">
        <h2>{t('finance.intervals')}</h2>
        <FactTable rows={detail.intervals} label={t('finance.intervals')} currency={row.currency} />
      </section>
      <section className="panel">
        <h2>{t('finance.postings')}</h2>
        <Table label={t('finance.postings')} columns={columns}>
          {detail.transactions.flatMap((each) =>
            each.postings.map((posting, n) => (
              <tr key={`${each.id}${n}`} data-testid="posting">
                <td>{time(each.at)}</td>
                <td>{coded('finance.booking', each.kind) ?? plainCode(each.kind)}</td>
                <td title={posting.source}>{account(posting.source)}</td>
                <td title={posting.destination}>{account(posting.destination)}</td>
                <td className="right">{money(posting.amount_minor, posting.currency)}</td>
              </tr>
            )),
          )}
        </Table>
      </section>
      <section className="panel">
        <h2>{t('finance.holds')}</h2>
        <FactTable rows={detail.holds} label={t('finance.holds')} currency={row.currency} />
      </section>
      <section className="panel">
        <h2>{t('finance.provider')}</h2>
        <FactTable rows={detail.commands} label={t('finance.provider')} currency={row.currency} />
      </section>
    </div>
  )
}

function Quality({ chargeId }: { chargeId: string }) {
  const { t } = useWords()
  const found = useQuery({ queryKey: ['quality', chargeId], queryFn: () => get<QualityOut>(`/api/finance/charges/${chargeId}/quality`) })
  return (
    <section className="panel">
      <h2>{t('quality.title')}</h2>
      <Problem error={found.error} />
      {found.data && <QualityPicture quality={found.data} />}
    </section>
  )
}

export function ChargeDetailScreen() {
  const { chargeId = '' } = useParams()
  const { t } = useWords()
  const detail = useCharge(chargeId)
  return (
    <ConsolePage title={detail.data?.row.reference ?? t('finance.charge')}>
      <p style={{ margin: 0 }}>
        <Link className="row-link" to="/finance/charges">
          {t('finance.back')}
        </Link>
      </p>
      <Found query={detail}>{(data) => <Detail detail={data} />}</Found>
    </ConsolePage>
  )
}
