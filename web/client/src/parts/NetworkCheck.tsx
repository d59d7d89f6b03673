// Owns telling whether calls will work on this network, and how: in words, with a sign, within five seconds.
import { Button } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { testNetwork } from '../media/network'
import { verdict } from '../rules/network'
import { Bars } from './pictures'
import { Problem } from './Problem'
import { useWords } from './words'

const GOOD_FOR_MS = 5 * 60_000
const bars = { good: 3, weak: 1, blocked: 0 } as const

export function NetworkCheck() {
  const { t } = useWords()
  const test = useQuery({ queryKey: ['network-test'], queryFn: testNetwork, staleTime: GOOD_FOR_MS, gcTime: GOOD_FOR_MS, retry: false, refetchOnWindowFocus: false })
  const found = test.data && !test.isFetching ? verdict(test.data) : null
  return (
    <div className="stack" style={{ gap: '0.5rem' }} data-testid="network-check" data-word={found?.word} data-by={found?.by ?? undefined}>
      <div role="status">
        {test.isFetching && <p className="note">{t('network.testing')}</p>}
        {found && (
          <p className={found.word === 'good' ? 'network' : 'network note warn'}>
            <Bars count={bars[found.word]} />
            <span>
              {found.by === 'relay' && found.word === 'good' ? t('network.good.relay') : t(`network.${found.word}`)}
              {found.way && (
                <span className="small soft" style={{ display: 'block' }}>
                  {t('network.figures', { rtt: found.way.rttMs, loss: found.way.lossPercent / 100 })}
                </span>
              )}
            </span>
          </p>
        )}
      </div>
      {!test.isFetching && <Problem error={test.error} />}
      {!test.isFetching && found?.word !== 'good' && (
        <div>
          <Button variant="default" onClick={() => void test.refetch()}>
            {t('network.again')}
          </Button>
        </div>
      )}
    </div>
  )
}
