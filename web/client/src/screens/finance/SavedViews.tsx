// Owns filters kept under a name, on the server: the same on every machine of one person.
import { Button, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { Link, useLocation } from 'react-router'
import { call, get } from '../../api/client'
import type { Views } from '../../api/types'
import { Problem } from '../../parts/Problem'
import { useWords } from '../../parts/words'

const PATH = '/api/finance/views'
const KEY = ['finance', 'views']

export function SavedViews({ search }: { search: string }) {
  const { t, locale } = useWords()
  const { pathname } = useLocation()
  const queries = useQueryClient()
  const [name, setName] = useState('')
  const found = useQuery({ queryKey: KEY, queryFn: () => get<Views>(PATH) })
  const done = (views: Views) => queries.setQueryData(KEY, views)
  const keep = useMutation({
    mutationFn: () => call<Views>('PUT', PATH, { name, search }),
    onSuccess: (views) => {
      done(views)
      setName('')
    },
  })
  const drop = useMutation({ mutationFn: (id: string) => call<Views>('DELETE', `${PATH}/${id}`), onSuccess: done })
  const views = (found.data?.items ?? []).toSorted((one, other) => one.name.localeCompare(other.name, locale))
  return (
    <details className="panel" style={{ paddingBlock: '0.25rem' }}>
      <summary>{t('finance.views', { count: views.length })}</summary>
      {views.length > 0 && (
        <ul className="plain">
          {views.map((view) => (
            <li key={view.id} className="row">
              {/* With its name in the address, the fields of the filters start anew from it. */}
              <Link className="row-link" to={`${pathname}?${view.search}&view=${encodeURIComponent(view.name)}`} aria-current={view.search === search ? 'true' : undefined}>
                {view.name}
              </Link>
              <Button variant="subtle" loading={drop.isPending && drop.variables === view.id} onClick={() => drop.mutate(view.id)} aria-label={t('finance.view_drop', { name: view.name })}>
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
          keep.mutate()
        }}
      >
        <TextInput label={t('finance.view_name')} value={name} maxLength={40} onChange={(event) => setName(event.currentTarget.value)} data-testid="view-name" />
        <Button type="submit" variant="default" loading={keep.isPending} disabled={!name.trim() || !search} data-testid="view-keep">
          {t('finance.view_keep')}
        </Button>
      </form>
      <Problem error={found.error ?? keep.error ?? drop.error} />
      <p className="small soft">{t('finance.views_where')}</p>
    </details>
  )
}
