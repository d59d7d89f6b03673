// Owns the small pieces that the screens of the console share: tables, facts, what is being loaded, two-step buttons.
import { Button } from '@mantine/core'
import type { UseQueryResult } from '@tanstack/react-query'
import { Fragment, type ReactNode, useState } from 'react'
import { NavLink } from 'react-router'
import { Loading, Problem } from '../../parts/Problem'
import { useWords } from '../../parts/words'

/** What a query found, or that it is under way, or why it failed. */
export function Found<T>({ query, children }: { query: UseQueryResult<T>; children: (data: T) => ReactNode }) {
  return (
    <>
      {query.isPending && <Loading />}
      <Problem error={query.error} retry={() => void query.refetch()} />
      {query.data !== undefined && children(query.data)}
    </>
  )
}

/** The title of a column; a figure's stands right. */
export interface Column {
  name: string
  figure?: boolean
}

/** A table that scrolls by itself where the screen is too narrow for it; one that ``fits`` has few columns and never is. */
export function Table({ label, columns, fits = false, children }: { label: string; columns: Column[]; fits?: boolean; children: ReactNode }) {
  return (
    <div className="scroller" tabIndex={0} role="region" aria-label={label}>
      <table className={fits ? 'plain small' : 'plain keep small'}>
        <thead>
          <tr>
            {columns.map(({ name, figure }) => (
              <th key={name} scope="col" className={figure ? 'right' : undefined}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  )
}

export function FactPairs({ pairs }: { pairs: [string, ReactNode][] }) {
  return (
    <dl className="facts giving-way">
      {pairs.map(([name, value]) => (
        <Fragment key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </Fragment>
      ))}
    </dl>
  )
}

/** Those that wait and those that are over, as two addresses of one list. */
export function OpenOrClosed({ path }: { path: string }) {
  const { t } = useWords()
  return (
    <nav className="row" style={{ gap: 0 }} aria-label={t('finance.which')}>
      <NavLink to={path} end className="nav">
        {t('finance.open_ones')}
      </NavLink>
      <NavLink to={`${path}/closed`} className="nav">
        {t('finance.closed_ones')}
      </NavLink>
    </nav>
  )
}

/** A button that asks once more before it acts. */
export function Confirm(props: { label: string; question: string; confirm: string; act: () => void; pending: boolean; disabled?: boolean; testId: string }) {
  const { t } = useWords()
  const [asked, setAsked] = useState(false)
  if (!asked) {
    return (
      <Button variant="default" disabled={props.disabled} onClick={() => setAsked(true)} data-testid={props.testId}>
        {props.label}
      </Button>
    )
  }
  return (
    <div className="note warn" role="group" aria-label={props.label}>
      <p>{props.question}</p>
      <div className="row">
        <Button
          autoFocus
          loading={props.pending}
          onClick={() => {
            props.act()
            setAsked(false)
          }}
          data-testid={`${props.testId}-confirm`}
        >
          {props.confirm}
        </Button>
        <Button variant="default" onClick={() => setAsked(false)}>
          {t('finance.not_now')}
        </Button>
      </div>
    </div>
  )
}
