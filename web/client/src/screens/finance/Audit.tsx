// Owns who did what around money, newest first, page by page.
import { Button } from '@mantine/core'
import { useInfiniteQuery } from '@tanstack/react-query'
import { get, query } from '../../api/client'
import type { Audits } from '../../api/types'
import { Loading, Problem } from '../../parts/Problem'
import { useWords } from '../../parts/words'
import { ConsolePage } from './Console'
import { Table } from './parts'
import { plainCode } from '../../rules/codes'
import { useDetails } from './wording'

const FULL_PAGE = 200 // as the server's MOST_AUDIT; a shorter page is the last

export function Audit() {
  const { t, date, coded } = useWords()
  const details = useDetails()
  const found = useInfiniteQuery({
    queryKey: ['finance', 'audit'],
    queryFn: ({ pageParam }) => get<Audits>(`/api/finance/audit${query({ before: pageParam })}`),
    initialPageParam: undefined as number | undefined,
    getNextPageParam: ({ items }) => (items.length < FULL_PAGE ? undefined : items.at(-1)?.id),
  })
  const items = found.data?.pages.flatMap((page) => page.items) ?? []
  const columns = [{ name: t('finance.at') }, { name: t('finance.audit.who') }, { name: t('finance.audit.what') }, { name: t('finance.audit.details') }, { name: t('finance.audit.subject') }]
  return (
    <ConsolePage title={t('finance.tab.audit')} lead={t('finance.audit.lead')}>
      {found.isPending && <Loading />}
      <Problem error={found.error} retry={() => void found.refetch()} />
      {found.data && (
        <div className="panel">
          {items.length ? (
            <Table label={t('finance.tab.audit')} columns={columns}>
              {items.map((each) => (
                <tr key={each.id} data-testid="audit-row">
                  <td>{date(each.at)}</td>
                  <td>{each.actor_name || t('finance.audit.nobody')}</td>
                  <td>{coded('finance.action', each.action.replace('.', '_')) ?? plainCode(each.action)}</td>
                  <td>{details(each.details).map(([name, value]) => `${name}: ${value}`).join(', ') || '–'}</td>
                  <td>
                    <code>{each.subject}</code>
                  </td>
                </tr>
              ))}
            </Table>
          ) : (
            <p style={{ margin: 0 }}>{t('finance.audit.none')}</p>
          )}
        </div>
      )}
      {found.hasNextPage && (
        <Button variant="default" loading={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>
          {t('common.more')}
        </Button>
      )}
    </ConsolePage>
  )
}
