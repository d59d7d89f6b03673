// Owns filters kept under a name, in this browser only.
import { Button, TextInput } from '@mantine/core'
import { useState } from 'react'
import { Link, useLocation } from 'react-router'
import { useWords } from '../../parts/words'
import { readViews, type View, withView } from '../../rules/views'

const KEPT = 'finance.views'

export function SavedViews({ search }: { search: string }) {
  const { t } = useWords()
  const { pathname } = useLocation()
  const [views, setViews] = useState(() => readViews(localStorage.getItem(KEPT)))
  const [name, setName] = useState('')
  function keep(next: View[]) {
    localStorage.setItem(KEPT, JSON.stringify(next))
    setViews(next)
  }
  return (
    <details className="panel" style={{ paddingBlock: '0.25rem' }}>
      <summary>{t('finance.views', { count: views.length })}</summary>
      {views.length > 0 && (
        <ul className="plain">
          {views.map((view) => (
            <li key={view.name} className="row">
              {/* With its name in the address, the fields of the filters start anew from it. */}
              <Link className="row-link" to={`${pathname}?${view.search}&view=${encodeURIComponent(view.name)}`} aria-current={view.search === search ? 'true' : undefined}>
                {view.name}
              </Link>
              <Button variant="subtle" onClick={() => keep(views.filter((each) => each !== view))} aria-label={t('finance.view_drop', { name: view.name })}>
                {t('finance.view_remove')}
              </Button>
            </li>
          ))}
        </ul>
      )}
      <form
        className="row"
        style={{ alignItems: 'flex-end' }}
        onSubmit={(event) => {
          event.preventDefault()
          keep(withView(views, { name: name.trim(), search }))
          setName('')
        }}
      >
        <TextInput label={t('finance.view_name')} value={name} maxLength={40} onChange={(event) => setName(event.currentTarget.value)} data-testid="view-name" />
        <Button type="submit" variant="default" disabled={!name.trim() || !search} data-testid="view-keep">
          {t('finance.view_keep')}
        </Button>
      </form>
      <p className="small soft">{t('finance.views_where')}</p>
    </details>
  )
}
